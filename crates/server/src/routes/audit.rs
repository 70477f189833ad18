//! The log, with what the reader may see beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chancery_api::audit::{AuditEntry, AuditPage};
use chancery_canonical::Disclosure;
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::people::AUDITOR;
use chancery_domain::time::Timestamp;
use chancery_store::{MAX_PAGE, Store as _, StoredEvent};
use serde::Deserialize;
use serde_json::Value;

use crate::app::{App, Snapshot, disclosures};
use crate::http::authentication::Actor;
use crate::http::csv::{CSV, record};
use crate::http::listing::{limit, visible_row};
use crate::problem::Problem;

/// Pages that are read for one answer, so that what is rare does not hold up the others; `next` says where to go on.
const PAGES: usize = 10;
/// Longest text to look for, in characters.
const MAX_TEXT: usize = 200;

/// Query of `GET /api/v1/audit`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    stream: Option<String>,
    kind: Option<String>,
    person: Option<String>,
    since: Option<String>,
    until: Option<String>,
    text: Option<String>,
    order: Option<String>,
    from: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/audit`: leaves are public anyway; disclosures only for auditors.
pub async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
    headers: HeaderMap,
    query: Result<Query<AuditQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| Problem::member("query", error.body_text()))?;
    let people = app.people.now();
    let wanted = Wanted::parse(&query)?;
    let mut search = Search::of(&app, actor.person(), &people, &wanted, limit(query.limit.as_deref())?);
    let from = query.from.as_deref().map(str::parse::<u64>).transpose();
    let from = from.map_err(|error| Problem::member("from", error))?;
    let next = if wanted.newest_first { search.backward(from).await? } else { search.forward(from).await? };
    if takes_csv(&headers) {
        return Ok(table(&search.items, next));
    }
    Ok(Json(AuditPage { items: search.items, next }).into_response())
}

/// What is looked for.
struct Wanted {
    stream: Option<String>,
    kind: Option<String>,
    person: Option<PersonId>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// In lower case.
    text: Option<String>,
    newest_first: bool,
}

impl Wanted {
    fn parse(query: &AuditQuery) -> Result<Self, Problem> {
        let moment = |name: &'static str, text: &Option<String>| {
            text.as_deref().map(str::parse).transpose().map_err(|error| Problem::member(name, error))
        };
        let person = query.person.as_deref().map(str::parse).transpose();
        let text = query.text.as_ref().map(|text| text.to_lowercase());
        if text.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > MAX_TEXT) {
            return Err(Problem::member("text", format!("write 1 to {MAX_TEXT} characters")));
        }
        let newest_first = match query.order.as_deref() {
            None | Some("oldest") => false,
            Some("newest") => true,
            Some(_) => return Err(Problem::member("order", "is not `oldest` or `newest`")),
        };
        Ok(Self {
            stream: query.stream.clone(),
            kind: query.kind.clone(),
            person: person.map_err(|error| Problem::member("person", error))?,
            since: moment("since", &query.since)?,
            until: moment("until", &query.until)?,
            text,
            newest_first,
        })
    }

    /// Whether an event is looked for, by what the reader may see of it.
    fn fits(&self, event: &StoredEvent, audits: bool) -> bool {
        let leaf = &event.leaf;
        let begins = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| text.starts_with(wanted.as_str()))
        };
        begins(&self.kind, &leaf.kind)
            && begins(&self.stream, &leaf.stream.to_string())
            && self.since.is_none_or(|since| leaf.time >= since)
            && self.until.is_none_or(|until| leaf.time < until)
            && self.person.as_ref().is_none_or(|person| names(event, person))
            && self.text.as_ref().is_none_or(|text| says(event, text, audits))
    }
}

/// Whether an event is about a person or caused by them.
fn names(event: &StoredEvent, person: &PersonId) -> bool {
    let own = matches!(&event.leaf.stream, Stream::Identity(id) if id == person);
    own || event.leaf.body.values().any(|value| contains(value, &|text| text.contains(person.as_str())))
}

/// Whether a text stands in an event, or in the clear values beside it that the reader may see. It is in lower case.
fn says(event: &StoredEvent, wanted: &str, audits: bool) -> bool {
    let within = |text: &str| text.to_lowercase().contains(wanted);
    let beside = || disclosures(event.private.as_ref()).iter().any(|one| contains(one.value(), &within));
    within(&event.leaf.kind)
        || within(&event.leaf.stream.to_string())
        || event.leaf.body.values().any(|value| contains(value, &within))
        || (audits && beside())
}

fn contains(value: &Value, within: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => within(text),
        Value::Array(elements) => elements.iter().any(|element| contains(element, within)),
        Value::Object(members) => members.values().any(|member| contains(member, within)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A walk through the log for one reader.
struct Search<'a> {
    app: &'a App,
    reader: &'a PersonId,
    people: &'a Snapshot,
    wanted: &'a Wanted,
    limit: usize,
    /// Whether the reader sees disclosures, and every request.
    audits: bool,
    /// Which requests the reader may see, as far as they were met.
    known: BTreeMap<RequestId, bool>,
    items: Vec<AuditEntry>,
}

impl<'a> Search<'a> {
    fn of(
        app: &'a App,
        reader: &'a PersonId,
        people: &'a Snapshot,
        wanted: &'a Wanted,
        limit: usize,
    ) -> Self {
        let audits = people.active(reader).is_some_and(|known| known.roles.contains(AUDITOR));
        Self { app, reader, people, wanted, limit, audits, known: BTreeMap::new(), items: Vec::new() }
    }

    /// From a leaf on, towards the end. Returns where to go on.
    async fn forward(&mut self, from: Option<u64>) -> Result<Option<u64>, Problem> {
        let mut from = from.unwrap_or(0);
        for _ in 0..PAGES {
            let events = self.app.store.events_from(from, MAX_PAGE).await?;
            let Some(last) = events.last() else { return Ok(None) };
            let end = last.position.leaf_index.saturating_add(1);
            for event in events {
                from = event.position.leaf_index;
                if self.items.len() >= self.limit {
                    return Ok(Some(from));
                }
                self.take(event).await?;
            }
            from = end;
        }
        Ok(Some(from))
    }

    /// From a leaf on, towards the beginning. Returns where to go on.
    async fn backward(&mut self, from: Option<u64>) -> Result<Option<u64>, Problem> {
        let size = *self.app.store.watch_size().borrow();
        let Some(mut newest) = size.checked_sub(1) else { return Ok(None) };
        newest = newest.min(from.unwrap_or(newest));
        for _ in 0..PAGES {
            let oldest = newest.saturating_sub(MAX_PAGE as u64 - 1);
            let mut events = self.app.store.events_from(oldest, MAX_PAGE).await?;
            events.retain(|event| event.position.leaf_index <= newest);
            for event in events.into_iter().rev() {
                if self.items.len() >= self.limit {
                    return Ok(Some(event.position.leaf_index));
                }
                self.take(event).await?;
            }
            match oldest.checked_sub(1) {
                Some(next) => newest = next,
                None => return Ok(None),
            }
        }
        Ok(Some(newest))
    }

    async fn take(&mut self, event: StoredEvent) -> Result<(), Problem> {
        if self.wanted.fits(&event, self.audits) && self.sees(&event).await? {
            self.items.push(entry(event, self.audits));
        }
        Ok(())
    }

    async fn sees(&mut self, event: &StoredEvent) -> Result<bool, Problem> {
        let about = match &event.leaf.stream {
            Stream::Request(id) if !self.audits => id.clone(),
            Stream::Alert(id) if !self.audits => id.request(),
            Stream::Request(_) | Stream::Alert(_) | Stream::Identity(_) | Stream::Policy | Stream::Trust => {
                return Ok(true);
            }
        };
        if let Some(known) = self.known.get(&about) {
            return Ok(*known);
        }
        let sees = visible_row(self.app, &about, self.reader, self.people).await?;
        self.known.insert(about, sees);
        Ok(sees)
    }
}

fn entry(event: StoredEvent, audits: bool) -> AuditEntry {
    let disclosures = if audits { disclosures(event.private.as_ref()) } else { Vec::new() };
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

/// Whether the reader asks for a table, by naming it and not by taking anything.
fn takes_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    accepted
        .flat_map(|line| line.split(','))
        .any(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv"))
}

/// A clear value with its name.
fn told(disclosure: &str) -> Option<String> {
    let disclosure = Disclosure::parse(disclosure).ok()?;
    let value = disclosure.value();
    Some(format!(
        "{}: {}",
        disclosure.name(),
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    ))
}

/// The same as a table; `Link` says where the next page is.
fn table(items: &[AuditEntry], next: Option<u64>) -> Response {
    let head = ["leaf_index", "time", "stream", "version", "kind", "body", "clear"];
    let mut text = record(head);
    for item in items {
        let (index, version) = (item.leaf_index.to_string(), item.version.to_string());
        let body = Value::Object(item.body.clone()).to_string();
        let clear = item.disclosures.iter().filter_map(|text| told(text)).collect::<Vec<_>>().join("; ");
        text.push_str(&record([
            index.as_str(),
            &item.time,
            &item.stream,
            &version,
            &item.kind,
            &body,
            &clear,
        ]));
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CSV));
    let name = "attachment; filename=\"audit.csv\"";
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    if let Some(next) = next.and_then(|next| format!("<?from={next}>; rel=\"next\"").parse().ok()) {
        headers.insert(header::LINK, next);
    }
    (headers, text).into_response()
}
