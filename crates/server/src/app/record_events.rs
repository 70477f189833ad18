//! Recording: the last step of every use case. Events get their attestations, the read model its row, effects
//! their place in the queue, all in one append that names the version it expects.

use std::sync::Arc;

use chancery_domain::alerts;
use chancery_domain::document::GrantTerms;
use chancery_domain::effect;
use chancery_domain::event::{AlertEvent, Judged, LeaseIntended, RequestEvent, to_parts};
use chancery_domain::evolve::evolve;
use chancery_domain::id::{AlertId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::people::Directory;
use chancery_domain::time::Timestamp;
use chancery_evidence::attest::{AttestedFacts, AttestedSubject};
use chancery_store::{
    Append, AppendError, Appended, Document, Erasure, NewAttestation, NewEffect, NewEvent, Projection,
    StoredEvent, StreamAppend, Ticket, TicketKey,
};
use serde_json::{Map, Value};

use super::load_request::{LoadedRequest, Placed, place};
use super::match_number::NUMBER;
use super::summarise_request::row;
use super::{App, Snapshot};
use crate::problem::Problem;

/// How often a decision is made again after somebody else was first.
pub const MAX_ATTEMPTS: usize = 8;

/// What is to be recorded of one request.
pub struct Record<'a> {
    /// When.
    pub now: Timestamp,
    /// Which request.
    pub id: &'a RequestId,
    /// The request before; absent for a new one.
    pub before: Option<&'a LoadedRequest>,
    /// What happens, each with what is kept beside it.
    pub events: Vec<(RequestEvent, Option<Value>)>,
    /// Documents that the events name by digest.
    pub documents: Vec<Document>,
    /// Single-use tickets that are used up.
    pub consume: Vec<TicketKey>,
    /// Tickets that are made.
    pub remember: Vec<Ticket>,
    /// Private values that go.
    pub erase: Vec<Erasure>,
    /// Public facts of the certificate, for `lease.issued`.
    pub certificate: Option<Map<String, Value>>,
}

impl<'a> Record<'a> {
    /// A record of nothing, to be filled.
    pub fn of(id: &'a RequestId, before: Option<&'a LoadedRequest>, now: Timestamp) -> Self {
        Self {
            now,
            id,
            before,
            events: Vec::new(),
            documents: Vec::new(),
            consume: Vec::new(),
            remember: Vec::new(),
            erase: Vec::new(),
            certificate: None,
        }
    }

    /// Adds events with nothing beside them.
    #[must_use]
    pub fn with(mut self, events: Vec<RequestEvent>) -> Self {
        self.events.extend(events.into_iter().map(|event| (event, None)));
        self
    }
}

/// The standing revision and its terms, as attestations repeat them.
struct Standing {
    request_sha256: Option<chancery_canonical::Sha256>,
    grant: Option<GrantTerms>,
}

impl App {
    /// Appends the events, all or nothing.
    ///
    /// # Errors
    /// A conflict when somebody else was first, in the request or in the directory: load and decide again.
    pub(crate) async fn record(&self, record: Record<'_>, people: &Snapshot) -> Result<Appended, Problem> {
        self.refuse_step_back(&record)?;
        let mut append = Append::at(record.now);
        let (events, raised) = self.prepare(&record, people.directory(), &mut append)?;
        append.streams.insert(
            0,
            StreamAppend {
                stream: Stream::Request(record.id.clone()),
                expected_version: record.before.map_or(0, |before| before.version),
                events,
            },
        );
        append.documents = record.documents;
        append.consume = record.consume;
        append.remember = record.remember;
        append.erase = record.erase;
        if !raised.is_empty() {
            return self.append_alerts(append, raised, people).await;
        }
        // INVARIANT: nobody is suspended or frozen, and no key removed, between the decision and its leaf: a verifier asks who
        // people were at the leaf.
        let Some(_held) = self.people.hold(people).await else { return Err(Problem::conflict()) };
        self.append(append).await.map_err(|error| match error {
            // INVARIANT: a stream that nobody has heard of and that exists all the same is an id used twice.
            AppendError::Conflict { .. } if record.before.is_none() => {
                chancery_domain::refusal::Refusal::RequestExists.into()
            }
            // The digits of a revision are drawn once, so somebody else submitted it a moment ago.
            AppendError::TicketTaken { kind, .. } if kind == NUMBER => match record.before {
                Some(_) => Problem::conflict(),
                None => chancery_domain::refusal::Refusal::RequestExists.into(),
            },
            other => Problem::from(other),
        })
    }

    /// Appends events of alerts, with whatever stands before them, and takes them in: from the next decision on, whom
    /// they freeze is frozen.
    pub(crate) async fn append_alerts(
        &self,
        append: Append,
        events: Vec<AlertEvent>,
        people: &Snapshot,
    ) -> Result<Appended, Problem> {
        let at = append.time;
        let Some(_changing) = self.people.change_as_of(people).await else { return Err(Problem::conflict()) };
        let appended = self.append(append).await?;
        let of_alerts = appended.positions.iter().filter(|one| matches!(one.stream, Stream::Alert(_)));
        let placed: Vec<_> = events.into_iter().zip(of_alerts.cloned()).collect();
        self.people.take_in_alerts(&placed, at).await?;
        Ok(appended)
    }

    /// A moment that was read before the newest event of the request was recorded is read again.
    fn refuse_step_back(&self, record: &Record<'_>) -> Result<(), Problem> {
        match record.before.and_then(|before| before.events.last()) {
            Some(newest) if newest.time > record.now => {
                self.saw_time(newest.time);
                Err(Problem::conflict())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Attests the events, and fills in what follows from them: row, effects and alerts, whose events are returned too.
    fn prepare(
        &self,
        record: &Record<'_>,
        directory: &Directory,
        append: &mut Append,
    ) -> Result<(Vec<NewEvent>, Vec<AlertEvent>), Problem> {
        let mut raised = Vec::new();
        let mut state = record.before.map(|before| before.state.clone());
        let mut told: Vec<Told> =
            record.before.map(|before| before.events.iter().map(Told::of)).into_iter().flatten().collect();
        let mut events = Vec::new();
        for (event, private) in &record.events {
            let (event, attestation) = self.attested(event.clone(), record, &told, directory)?;
            let after = evolve(record.id, state, &event).map_err(Problem::bug)?;
            for due in effect::effects(record.id, &event, &after, record.now) {
                let payload = serde_json::to_value(&due.effect).map_err(Problem::bug)?;
                let kind = payload.get("effect").and_then(Value::as_str).unwrap_or_default().to_owned();
                append.effects.push(NewEffect { key: due.effect.key(due.at), kind, due_at: due.at, payload });
            }
            if let Some((id, alert)) = alerts::raised(record.id, &event, &after) {
                append.streams.push(alert_append(id, 0, &alert)?);
                raised.push(alert);
            }
            if let RequestEvent::LeaseIssued(issued) = &event {
                append.settle_effects.push(format!("settle/{}", issued.lease));
            }
            let (kind, body) = to_parts(&event).map_err(Problem::bug)?;
            events.push(NewEvent { kind, body, private: private.clone(), attestation });
            told.push(Told { event, time: record.now, private: private.clone() });
            state = Some(after);
        }
        let version = record.before.map_or(0, |before| before.version).saturating_add(events.len() as u64);
        append.request_rows.push(row(record.id, &told, version)?);
        Ok((events, raised))
    }

    fn attested(
        &self,
        event: RequestEvent,
        record: &Record<'_>,
        told: &[Told],
        directory: &Directory,
    ) -> Result<(RequestEvent, Option<NewAttestation>), Problem> {
        let standing = standing(told);
        let Some(request_sha256) = standing.request_sha256 else { return Ok((event, None)) };
        let intended = intended(told, &event);
        let facts = AttestedFacts {
            directory,
            grant: standing.grant.as_ref(),
            intended: intended.as_ref(),
            certificate: record.certificate.as_ref(),
        };
        let subject = AttestedSubject::request(record.id, request_sha256);
        let (event, attestation) =
            self.attestor.attach(event, &subject, &facts, self.random.source()).map_err(Problem::bug)?;
        let Some(attestation) = attestation else { return Ok((event, None)) };
        let envelope = attestation.envelope_json().map_err(Problem::bug)?.as_bytes().to_vec();
        Ok((event, Some(NewAttestation { leaf: attestation.leaf.as_bytes().to_vec(), envelope })))
    }
}

/// What puts an event of an alert into the log.
pub fn alert_append(id: AlertId, version: u64, event: &AlertEvent) -> Result<StreamAppend, Problem> {
    let (kind, body) = to_parts(event).map_err(Problem::bug)?;
    let event = NewEvent { kind, body, private: None, attestation: None };
    Ok(StreamAppend { stream: Stream::Alert(id), expected_version: version, events: vec![event] })
}

/// An event as the read model is told of it.
pub struct Told {
    /// What happened.
    pub event: RequestEvent,
    /// When.
    pub time: Timestamp,
    /// What is kept beside it.
    pub private: Option<Value>,
}

impl Told {
    /// An event that stands in the log.
    pub fn of(placed: &Placed) -> Self {
        Self { event: placed.event.clone(), time: placed.time, private: placed.private.clone() }
    }
}

fn standing(told: &[Told]) -> Standing {
    let mut standing = Standing { request_sha256: None, grant: None };
    for Told { event, .. } in told {
        if let RequestEvent::Submitted(body) | RequestEvent::Revised(body) = event {
            standing = Standing { request_sha256: Some(body.request_sha256), grant: None };
        }
        if let RequestEvent::Judged(Judged { grant: Some(grant), .. }) = event {
            standing.grant = Some(grant.clone());
        }
    }
    standing
}

fn intended(told: &[Told], event: &RequestEvent) -> Option<LeaseIntended> {
    let RequestEvent::LeaseIssued(issued) = event else { return None };
    told.iter().find_map(|told| {
        let RequestEvent::LeaseIntended(intended) = &told.event else { return None };
        (intended.lease == issued.lease).then(|| intended.clone())
    })
}

/// The same from stored events, so that the read model can be made again and compared.
pub fn projection() -> Projection {
    Arc::new(|id: &RequestId, stored: &[StoredEvent]| {
        let placed = place(stored.to_vec()).map_err(|fault| fault.to_string())?;
        let told: Vec<Told> = placed.iter().map(Told::of).collect();
        row(id, &told, told.len() as u64).map_err(|fault| fault.to_string())
    })
}
