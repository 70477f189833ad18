//! Loading a request: its events, the state they lead to, and its decisions verified again from their stored
//! signatures. A column is never evidence.

use std::sync::Arc;

use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::count;
use chancery_domain::document::{DecisionDocument, RequestDocument, RequestReference};
use chancery_domain::event::{DecisionRecorded, Judged, Phase, RequestEvent, from_parts};
use chancery_domain::evolve::evolve;
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::people::{AUDITOR, IDENTITY_ADMIN, POLICY_OWNER};
use chancery_domain::proof::VerifiedApproval;
use chancery_domain::state::{Asked, State};
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::VerdictDocument;
use chancery_evidence::decision::verify_recorded_decision;
use chancery_evidence::signer::Context;
use chancery_store::{Fault, Position, Store as _, StoredEvent};
use serde_json::Value;
use tracing::Instrument as _;

use super::people::disclosures;
use super::{App, Snapshot};
use crate::problem::Problem;

/// An event, where it stands and what stands beside it.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Where.
    pub position: Position,
    /// When.
    pub time: Timestamp,
    /// What happened.
    pub event: RequestEvent,
    /// Disclosures and clear values.
    pub private: Option<Value>,
}

/// A request as the log tells it.
#[derive(Clone, Debug)]
pub struct LoadedRequest {
    /// Which.
    pub id: RequestId,
    /// Version of its stream.
    pub version: u64,
    /// Where it stands.
    pub state: State,
    /// Everything that happened.
    pub events: Vec<Placed>,
    /// The standing revision's document, as signed.
    pub document: Canonical,
    /// The same, parsed.
    pub request: RequestDocument,
    /// The verdict that fixed the stages of the standing revision; of the phase that denied it, when one did.
    pub verdict: Canonical,
    /// The same, parsed.
    pub standing_verdict: VerdictDocument,
    /// Approvals of the standing revision whose signatures stand, in the order of the log.
    pub approvals: Vec<VerifiedApproval>,
}

impl LoadedRequest {
    /// What was asked.
    pub fn asked(&self) -> &Asked {
        self.state.asked()
    }

    /// The standing revision, as decisions name it.
    pub fn reference(&self) -> RequestReference {
        reference(self.asked())
    }

    /// Whether this person is a party of it, takes part or could, or reads everything.
    pub fn is_visible_to(&self, person: &PersonId, people: &Snapshot) -> bool {
        let asked = self.asked();
        let party = *person == asked.requester || *person == asked.beneficiary;
        let decided = self.events.iter().any(|placed| decider(&placed.event).as_ref() == Some(person));
        let directory = people.directory();
        let may_sit =
            || !count::eligible_stages(person, &self.standing_verdict.stages, asked, directory).is_empty();
        let reads_all = people.active(person).is_some_and(|known| {
            [AUDITOR, IDENTITY_ADMIN, POLICY_OWNER].iter().any(|role| known.roles.contains(*role))
        });
        party || decided || reads_all || may_sit()
    }

    /// Disclosures beside the standing revision's submission.
    pub fn disclosures(&self) -> Vec<Disclosure> {
        let submission = self
            .events
            .iter()
            .rev()
            .find(|placed| matches!(placed.event, RequestEvent::Submitted(_) | RequestEvent::Revised(_)));
        disclosures(submission.and_then(|placed| placed.private.as_ref()))
    }
}

/// Who made the decision that an event records.
pub fn decider(event: &RequestEvent) -> Option<PersonId> {
    let RequestEvent::DecisionRecorded(DecisionRecorded { document, .. }) = event else { return None };
    document.decode::<DecisionDocument>().ok().map(|said| said.approver)
}

/// A revision, as decisions name it.
pub fn reference(asked: &Asked) -> RequestReference {
    RequestReference { id: asked.id.clone(), revision: asked.revision, sha256: asked.request_sha256 }
}

/// Reads the events of one stream.
pub fn place(stored: Vec<StoredEvent>) -> Result<Vec<Placed>, Fault> {
    let read = |stored: StoredEvent| {
        let event = from_parts::<RequestEvent>(&stored.leaf.kind, &stored.leaf.body).map_err(damaged)?;
        Ok(Placed { position: stored.position, time: stored.leaf.time, event, private: stored.private })
    };
    stored.into_iter().map(read).collect()
}

impl App {
    /// Loads a request; `None` when there is none of this id.
    pub(crate) async fn load_request(
        &self,
        id: &RequestId,
        people: &Snapshot,
    ) -> Result<Option<Arc<LoadedRequest>>, Problem> {
        let known = self.requests.find(id);
        self.read_request(id, known, people).instrument(tracing::debug_span!("load")).await
    }

    /// Reads what came after the version that is known.
    async fn read_request(
        &self,
        id: &RequestId,
        mut known: Option<Arc<LoadedRequest>>,
        people: &Snapshot,
    ) -> Result<Option<Arc<LoadedRequest>>, Problem> {
        let stream = Stream::Request(id.clone());
        let from = known.as_ref().map_or(1, |known| known.version.saturating_add(1));
        let mut newer = place(self.store.stream(&stream, from).await?)?;
        if known.is_some() && newer.iter().any(|placed| matches!(placed.event, RequestEvent::Redacted(_))) {
            known = None;
            newer = place(self.store.stream(&stream, 1).await?)?;
        }
        let Some(last) = newer.last() else { return Ok(known) };
        let version = last.position.version;
        let mut state = known.as_ref().map(|known| known.state.clone());
        let mut approvals = known.as_ref().map(|known| known.approvals.clone()).unwrap_or_default();
        for placed in &newer {
            if let RequestEvent::Submitted(_) | RequestEvent::Revised(_) = placed.event {
                approvals.clear();
            }
            if let (RequestEvent::DecisionRecorded(recorded), Some(state)) = (&placed.event, &state) {
                approvals.extend(self.verified_again(recorded, placed, state.asked(), people));
            }
            state = Some(evolve(id, state, &placed.event).map_err(damaged)?);
        }
        let Some(state) = state else { return Ok(None) };
        let mut events = known.map(|known| known.events.clone()).unwrap_or_default();
        events.append(&mut newer);
        let document = self.canonical(state.asked().request_sha256).await?;
        let request: RequestDocument = document.decode().map_err(damaged)?;
        let judged = standing_judgement(&events, &state);
        let verdict = self.canonical(judged.ok_or_else(|| damaged("no verdict"))?.verdict_sha256).await?;
        let standing_verdict = verdict.decode().map_err(damaged)?;
        let id = id.clone();
        let loaded = Arc::new(LoadedRequest {
            id,
            version,
            state,
            events,
            document,
            request,
            verdict,
            standing_verdict,
            approvals,
        });
        self.requests.keep(&loaded);
        Ok(Some(loaded))
    }

    /// Loads a request that this person may see; to anybody else it does not exist.
    pub(crate) async fn find_request(
        &self,
        id: &RequestId,
        reader: &PersonId,
        people: &Snapshot,
    ) -> Result<Arc<LoadedRequest>, Problem> {
        let loaded = self.load_request(id, people).await?;
        loaded
            .filter(|loaded| loaded.is_visible_to(reader, people))
            .ok_or_else(|| Problem::not_found("request"))
    }

    /// The approval that a recorded decision is, once its signature was verified again as of its leaf.
    fn verified_again(
        &self,
        recorded: &DecisionRecorded,
        placed: &Placed,
        asked: &Asked,
        people: &Snapshot,
    ) -> Option<VerifiedApproval> {
        let directory = people.chain.directory_at(placed.position.leaf_index);
        let context = Context {
            log_origin: &self.config.log_origin,
            relying_party: &self.relying_party,
            directory: &directory,
            at: placed.time,
        };
        match verify_recorded_decision(recorded, &reference(asked), &context) {
            Ok(decision) => decision.approval(),
            Err(refusal) => {
                let index = placed.position.leaf_index;
                tracing::error!(index, %refusal, "a recorded decision does not verify; it does not count");
                None
            }
        }
    }

    /// A stored document, in its canonical form.
    pub(crate) async fn canonical(&self, sha256: Sha256) -> Result<Canonical, Problem> {
        if let Some(known) = self.documents.find(&sha256) {
            return Ok(known);
        }
        let document = self.store.document(sha256).await?;
        let document = document.ok_or_else(|| lost(sha256))?;
        let canonical = Canonical::parse(&document.bytes).map_err(damaged)?;
        self.documents.keep(&canonical);
        Ok(canonical)
    }
}

/// The judgement of the standing revision that says where it stands: the one of the request phase, or the one
/// that denied it.
fn standing_judgement<'a>(events: &'a [Placed], state: &State) -> Option<&'a Judged> {
    let revision = state.asked().revision;
    let mut judged = events.iter().filter_map(|placed| {
        let RequestEvent::Judged(judged) = &placed.event else { return None };
        (judged.revision == revision).then_some(judged)
    });
    match state {
        State::Denied(denied) => judged.find(|one| one.verdict_sha256 == denied.verdict_sha256),
        State::Evaluating(_)
        | State::Pending(_)
        | State::Approved(_)
        | State::Active(_)
        | State::Unknown(_)
        | State::RollingBack(_)
        | State::Ended(_) => judged.find(|one| one.phase == Phase::Request),
    }
}

/// A mirror of the log holds no documents: what was submitted after the backup that was restored is known by its
/// digests alone.
fn lost(sha256: Sha256) -> Problem {
    Problem::refused(
        axum::http::StatusCode::NOT_FOUND,
        "document_lost",
        format!("document `{sha256}` is not here any more; its digest stands in the log"),
        "ask again with a new request; whoever kept the evidence of this one can still prove it",
    )
}

/// Stored data that is not what was written.
pub fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::Damaged(error.to_string())
}
