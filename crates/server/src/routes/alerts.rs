//! Alerts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use chancery_api::alert::{AlertList, AlertView};
use chancery_domain::alerts::Alert;
use chancery_domain::id::{AlertId, PersonId};
use chancery_domain::people::{AUDITOR, IDENTITY_ADMIN};
use serde::Deserialize;

use super::view;
use crate::app::{App, Snapshot};
use crate::http::authentication::Actor;
use crate::http::listing::limit;
use crate::http::path::Path;
use crate::problem::Problem;

/// Query of `GET /api/v1/alerts`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    state: Option<Which>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// Which alerts.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Which {
    Open,
    Acknowledged,
}

/// `GET /api/v1/alerts`: administrators and auditors see all, everybody else those that they raised or that are about
/// them.
pub async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<AlertList>, Problem> {
    let Query(query) = query.map_err(|error| Problem::member("query", error.body_text()))?;
    let limit = limit(query.limit.as_deref())?;
    let cursor = query.cursor.as_deref().map(str::parse::<AlertId>).transpose();
    let before = cursor.map_err(|_| Problem::member("cursor", "is none that was given"))?;
    let people = app.people.now();
    let wanted = |(id, alert): &(&AlertId, &Alert)| {
        let open = alert.acknowledged.is_none();
        before.as_ref().is_none_or(|before| *id < before)
            && query.state.is_none_or(|state| (state == Which::Open) == open)
            && may_see(alert, actor.person(), &people)
    };
    let mut found = people.alerts().iter().rev().filter(wanted);
    let items: Vec<AlertView> =
        found.by_ref().take(limit).map(|(id, alert)| view::alert(id, alert, &people)).collect();
    let next_cursor = found.next().and(items.last()).map(|last| last.id.clone());
    Ok(Json(AlertList { items, next_cursor }))
}

/// `POST /api/v1/alerts/{id}/acknowledge`
pub async fn acknowledge(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<AlertView>, Problem> {
    let nowhere = || Problem::not_found("alert");
    let id: AlertId = id.parse().map_err(|_| nowhere())?;
    let seen = app.people.now();
    // To whoever may not see it, it does not exist.
    seen.alerts().alert(&id).filter(|alert| may_see(alert, actor.person(), &seen)).ok_or_else(nowhere)?;
    app.acknowledge_alert(&actor.actor, &id).await?;
    let people = app.people.now();
    let alert = people.alerts().alert(&id).ok_or_else(nowhere)?;
    Ok(Json(view::alert(&id, alert, &people)))
}

/// Whether a person may see an alert.
pub fn may_see(alert: &Alert, person: &PersonId, people: &Snapshot) -> bool {
    let watches = people
        .active(person)
        .is_some_and(|known| [IDENTITY_ADMIN, AUDITOR].iter().any(|role| known.roles.contains(*role)));
    watches || alert.raised.requester == *person || alert.raised.person == *person
}
