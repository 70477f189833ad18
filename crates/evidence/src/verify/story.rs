//! What was verified, in the order in which a person wants to read it. Everything here comes from bytes that
//! passed a check, except where a field says that it is only claimed.

use std::collections::BTreeMap;

use chancery_canonical::Sha256;
use chancery_canonical::json::Value;
use chancery_domain::document::{DecisionKind, RequestDocument};
use chancery_domain::event::RequestEvent;
use chancery_domain::evolve::event_name;
use chancery_domain::id::PersonId;
use chancery_domain::seats::Seating;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::VerdictDocument;

use super::approved::IntendedLease;
use super::decisions::Verified;
use super::disclosures::Disclosed;
use super::lifecycle::Case;
use super::streams::Streams;

/// Whether the person named in an event of this kind did not sign it, so that only the server says who it was.
pub fn is_only_said(kind: &str) -> bool {
    matches!(kind, "request.cancelled" | "grant.ended" | "rollback.started")
}

/// The story of one request.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// `pending`, `active`, `revoked`, …
    pub state: String,
    /// What was asked.
    pub document: Option<RequestDocument>,
    /// Digest of that.
    pub request_sha256: Option<Sha256>,
    /// Why, unless it was redacted.
    pub justification: Option<String>,
    /// Title of the entitlement.
    pub title: Option<String>,
    /// What policy said.
    pub verdict: Option<VerdictDocument>,
    /// Leaf of that.
    pub verdict_leaf: Option<u64>,
    /// Who decided, in the order of the log.
    pub decisions: Vec<DecisionStory>,
    /// Who fills which stage.
    pub seats: Seating,
    /// Start and end of the grant.
    pub grant: Option<(Timestamp, Timestamp)>,
    /// Longest grant, in seconds.
    pub max_seconds: Option<u64>,
    /// Credentials.
    pub leases: Vec<IntendedLease>,
    /// Every event of the request: leaf, time, kind.
    pub timeline: Vec<(u64, Timestamp, &'static str)>,
    /// Names of people, where they were disclosed.
    pub names: BTreeMap<PersonId, String>,
}

/// One decision whose signature stands.
#[derive(Clone, Debug)]
pub struct DecisionStory {
    /// Its leaf.
    pub index: u64,
    /// Time in that leaf.
    pub at: Timestamp,
    /// Whose.
    pub person: PersonId,
    /// What.
    pub decision: DecisionKind,
    /// Seats that it names.
    pub stages: Vec<String>,
    /// Which key: SHA-256 of its credential id.
    pub credential_id_sha256: Sha256,
    /// Why, where it was said and is not redacted.
    pub reason: Option<String>,
    /// Whether it is about the current revision.
    pub current: bool,
}

impl Story {
    /// The events of the request, before anything else is known.
    pub(super) fn begin(streams: &Streams, case: &Case) -> Self {
        let kind = |event: &RequestEvent| event_name(event);
        let timeline =
            streams.request.iter().map(|recorded| (recorded.index, recorded.at, kind(&recorded.event)));
        Self { state: case.state.name().to_owned(), timeline: timeline.collect(), ..Self::default() }
    }

    /// Names from the disclosures beside identity events, justification and reasons from theirs.
    pub(super) fn disclose(&mut self, streams: &Streams, disclosed: &Disclosed) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let request = disclosed.request.as_ref();
        self.justification = request.and_then(|request| request.get("justification")).and_then(text);
        for recorded in &streams.identity {
            let clear = disclosed.leaves.get(&recorded.index);
            let name = clear
                .into_iter()
                .flatten()
                .find(|(name, _)| name == "name")
                .and_then(|(_, value)| text(value));
            if let Some(name) = name {
                self.names.insert(recorded.event.0.clone(), name);
            }
        }
        for decision in &mut self.decisions {
            let clear = disclosed.leaves.get(&decision.index);
            let reason = clear.into_iter().flatten().find(|(name, _)| name == "reason");
            decision.reason = reason.and_then(|(_, value)| text(value));
        }
    }

    pub(super) fn decided(&mut self, case: &Case, verified: &[Verified<'_>]) {
        let story = |verified: &Verified<'_>| {
            let document = verified.decision.document();
            DecisionStory {
                index: verified.place.recorded.index,
                at: verified.place.recorded.at,
                person: document.approver.clone(),
                decision: document.decision,
                stages: document.stages.iter().map(|stage| stage.id.clone()).collect(),
                credential_id_sha256: document.credential_id_sha256,
                reason: None,
                current: case.is_current(verified.place),
            }
        };
        self.decisions = verified.iter().map(story).collect();
    }

    /// A person's name where it is known, and always the id.
    pub fn name_of(&self, person: &PersonId) -> String {
        self.names.get(person).map_or_else(|| person.to_string(), |name| format!("{name} ({person})"))
    }
}
