//! The log, with what the reader may see beside it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use chancery_api::audit::{AuditEntry, AuditPage};
use chancery_domain::leaf::Stream;
use chancery_domain::people::AUDITOR;
use chancery_store::{MAX_PAGE, Store as _, StoredEvent};
use serde::Deserialize;

use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::listing::{limit, visible_row};
use crate::problem::Problem;

/// Query of `GET /api/v1/audit`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    stream: Option<String>,
    kind: Option<String>,
    from: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/audit`: leaves are public anyway; disclosures only for auditors.
pub async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
    query: Result<Query<AuditQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<AuditPage>, Problem> {
    let Query(query) = query.map_err(|error| Problem::member("query", error.body_text()))?;
    let limit = limit(query.limit.as_deref())?;
    let from = query.from.as_deref().unwrap_or("0").parse::<u64>();
    let mut from = from.map_err(|error| Problem::member("from", error))?;
    let people = app.people.now();
    let audits = people.active(actor.person()).is_some_and(|known| known.roles.contains(AUDITOR));
    let mut items = Vec::new();
    // At most ten pages are read for one answer, so that a rare kind does not hold up the others.
    for _ in 0..10 {
        let events = app.store.events_from(from, MAX_PAGE).await?;
        let Some(last) = events.last() else { return Ok(Json(AuditPage { items, next: None })) };
        let end = last.position.leaf_index.saturating_add(1);
        for event in events {
            from = event.position.leaf_index;
            if items.len() >= limit {
                return Ok(Json(AuditPage { items, next: Some(from) }));
            }
            let wanted = query.kind.as_ref().is_none_or(|kind| event.leaf.kind.starts_with(kind.as_str()))
                && query
                    .stream
                    .as_ref()
                    .is_none_or(|stream| event.leaf.stream.to_string().starts_with(stream.as_str()));
            let visible = audits
                || match &event.leaf.stream {
                    Stream::Request(id) => visible_row(&app, id, actor.person(), &people).await?,
                    Stream::Identity(_) | Stream::Policy | Stream::Trust => true,
                };
            if wanted && visible {
                items.push(entry(event, audits));
            }
        }
        from = end;
    }
    Ok(Json(AuditPage { items, next: Some(from) }))
}

fn entry(event: StoredEvent, audits: bool) -> AuditEntry {
    let disclosures = if audits { crate::app::disclosures(event.private.as_ref()) } else { Vec::new() };
    AuditEntry {
        leaf_index: event.position.leaf_index,
        attestation_index: event.position.attestation_index,
        stream: event.leaf.stream.to_string(),
        version: event.leaf.version,
        kind: event.leaf.kind,
        time: event.leaf.time.to_string(),
        body: event.leaf.body,
        disclosures: disclosures.iter().map(|one| one.as_str().to_owned()).collect(),
    }
}
