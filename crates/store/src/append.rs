//! What is written, in one piece: all of an [`Append`] or nothing.

use std::collections::BTreeSet;

use chancery_canonical::Sha256;
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_ledger::SignedCheckpoint;
use serde_json::{Map, Value};

/// Events and everything that has to become true together with them.
///
/// Within one append the order is: tickets consumed, tickets remembered, documents, events, redactions, read
/// model, effects settled, effects added. The first refusal undoes all of it.
#[derive(Clone, Debug)]
pub struct Append {
    /// When this happens, by the caller's clock; the time of every event, and what tickets expire against.
    pub time: Timestamp,
    /// Events, by stream.
    pub streams: Vec<StreamAppend>,
    /// Content-addressed bytes that the events name by digest. One that is stored already stays as it is.
    pub documents: Vec<Document>,
    /// Rows of the read model `requests` as they stand after the events.
    pub request_rows: Vec<RequestRow>,
    /// Effects to run once this append is checkpointed.
    pub effects: Vec<NewEffect>,
    /// Keys of waiting effects that are not to run any more. Unknown or finished ones are passed over.
    pub settle_effects: Vec<String>,
    /// Single-use tickets that this append uses up. One that is missing or expired refuses the append.
    pub consume: Vec<TicketKey>,
    /// Tickets that this append makes. One of the same key that is still good refuses the append.
    pub remember: Vec<Ticket>,
    /// Private values that go. The event that records the redaction belongs into the same append.
    pub erase: Vec<Erasure>,
}

impl Append {
    /// An append of nothing, to be filled.
    pub fn at(time: Timestamp) -> Self {
        Self {
            time,
            streams: Vec::new(),
            documents: Vec::new(),
            request_rows: Vec::new(),
            effects: Vec::new(),
            settle_effects: Vec::new(),
            consume: Vec::new(),
            remember: Vec::new(),
            erase: Vec::new(),
        }
    }
}

/// Events for the end of one stream.
#[derive(Clone, Debug)]
pub struct StreamAppend {
    /// The stream.
    pub stream: Stream,
    /// How many events the stream had when the caller decided: 0 for a new one.
    pub expected_version: u64,
    /// The events, in order.
    pub events: Vec<NewEvent>,
}

/// One event to be logged. Its leaf is made here, so that version and `previous` cannot be wrong.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Dotted name of the event.
    pub kind: String,
    /// The event's content as it stands in the leaf, personal values as commitments.
    pub body: Map<String, Value>,
    /// Disclosures and clear values. They stay beside the leaf and can be erased.
    pub private: Option<Value>,
    /// An attestation over the same fact. Its leaf follows the event's at once.
    pub attestation: Option<NewAttestation>,
}

/// A leaf of the Rekor shape and the DSSE envelope that it stands for.
#[derive(Clone, Debug)]
pub struct NewAttestation {
    /// Bytes of the leaf, at most 4 KiB.
    pub leaf: Vec<u8>,
    /// Bytes of the DSSE envelope.
    pub envelope: Vec<u8>,
}

/// Content-addressed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// SHA-256 of the bytes. Checked on the way in and on the way out.
    pub sha256: Sha256,
    /// IANA media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One row of the read model `requests`: what lists and queues are made of. Never evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRow {
    /// The request.
    pub id: RequestId,
    /// Version of the stream `request/<id>` that this row shows. Another than the stream has is refused.
    pub version: u64,
    /// Name of the state.
    pub state: String,
    /// Revision of the request document.
    pub revision: u32,
    /// Who asked.
    pub requester: PersonId,
    /// Who gets the access.
    pub beneficiary: PersonId,
    /// Who else took part so far, such as those who decided. Found by [`RequestFilter::participant`].
    pub participants: Vec<PersonId>,
    /// What was asked for.
    pub entitlement: String,
    /// To what it is done, in a few words: the main parameters.
    pub subject: String,
    /// Longest grant, from activation, in seconds.
    pub grant_seconds: u64,
    /// Risk score of the newest verdict.
    pub risk_score: u32,
    /// When the request was made.
    pub created_at: Timestamp,
    /// When its newest event was recorded.
    pub updated_at: Timestamp,
    /// When its running clock ends, if one runs.
    pub due_at: Option<Timestamp>,
    /// Whatever lists show besides.
    pub summary: Value,
}

/// An effect to be run, at least once.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEffect {
    /// Idempotency key. A key that waits or is done already makes this a no-op; a cancelled one waits again.
    pub key: String,
    /// What to do.
    pub kind: String,
    /// Not before this moment.
    pub due_at: Timestamp,
    /// What to do it with.
    pub payload: Value,
}

/// Names a ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketKey {
    /// What sort of ticket: `nonce`, `session`, `idempotency` …
    pub kind: String,
    /// Its key, unique within the sort.
    pub key: String,
}

/// Something remembered for a while: a nonce, a session, an answer to repeat.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// What sort of ticket.
    pub kind: String,
    /// Its key, unique within the sort.
    pub key: String,
    /// What is remembered.
    pub value: Value,
    /// Good before this moment, gone from it on.
    pub expires_at: Timestamp,
}

/// What to erase beside one event. The leaf stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Index of the event's leaf.
    pub leaf_index: u64,
    /// Digests of the disclosures to drop, as they stand in `_sd`. A clear copy of such a value (an object's
    /// member of the same name and value) goes with it.
    pub digests: Vec<Sha256>,
}

/// Where an event stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its stream.
    pub stream: Stream,
    /// Its version there, 1 for the first.
    pub version: u64,
    /// Index of its leaf in the log.
    pub leaf_index: u64,
    /// Index of its attestation's leaf, where it has one.
    pub attestation_index: Option<u64>,
}

/// An append that is committed and covered by a signed checkpoint.
#[derive(Clone, Debug)]
pub struct Appended {
    /// Where each event stands, in the order of the append.
    pub positions: Vec<Position>,
    /// A checkpoint that covers all of them.
    pub checkpoint: SignedCheckpoint,
}

/// Which requests to list. Empty fields do not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// In one of these states; empty for any.
    pub states: Vec<String>,
    /// Asked by this person.
    pub requester: Option<PersonId>,
    /// This person asked, gets the access, or took part.
    pub participant: Option<PersonId>,
    /// For this entitlement.
    pub entitlement: Option<String>,
    /// Something happened to it at or after this moment.
    pub updated_since: Option<Timestamp>,
}

impl RequestFilter {
    /// The same for each of its states, once; itself where it does not restrict them.
    pub(crate) fn one_state_each(&self) -> Vec<Self> {
        if self.states.is_empty() {
            return vec![self.clone()];
        }
        let states: BTreeSet<&String> = self.states.iter().collect();
        states.into_iter().map(|state| Self { states: vec![state.clone()], ..self.clone() }).collect()
    }
}
