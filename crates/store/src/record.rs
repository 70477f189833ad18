//! What is read back.

use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::time::Timestamp;
use serde_json::Value;

use crate::append::{Position, RequestRow};

/// An event as it stands in the log, with what is kept beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Where it stands.
    pub position: Position,
    /// The leaf, parsed.
    pub leaf: EventLeaf,
    /// The leaf's bytes, as they were hashed.
    pub leaf_bytes: Vec<u8>,
    /// Disclosures and clear values, without what was erased.
    pub private: Option<Value>,
    /// The attestation over the same fact, where there is one.
    pub attestation: Option<StoredAttestation>,
}

/// An attestation as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAttestation {
    /// Index of its leaf: the event's and one.
    pub leaf_index: u64,
    /// Bytes of its leaf.
    pub leaf: Vec<u8>,
    /// Bytes of the DSSE envelope.
    pub envelope: Vec<u8>,
}

/// A stream and how many events it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamHead {
    /// The stream.
    pub stream: Stream,
    /// Version of its newest event.
    pub version: u64,
}

/// What a requester asks for, to be compared with what they asked for before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Who asks.
    pub requester: PersonId,
    /// For what.
    pub entitlement: String,
    /// To what it is done, as [`RequestRow::subject`].
    pub subject: String,
}

/// How many requests of one requester are in a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateCount {
    /// The state.
    pub state: String,
    /// How many.
    pub requests: u64,
    /// How many of them are for the entitlement that was asked about.
    pub of_entitlement: u64,
    /// How many of those are for the same subject as well.
    pub of_subject: u64,
    /// The longest grant among those of the entitlement, in seconds; 0 where there are none.
    pub longest_grant_seconds: u64,
}

/// One page of requests, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestPage {
    /// The rows.
    pub rows: Vec<RequestRow>,
    /// Where the next page begins; absent after the last.
    pub next: Option<RequestId>,
}

/// An effect that this caller alone may run, until its lease ends.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedEffect {
    /// Idempotency key.
    pub key: String,
    /// What to do.
    pub kind: String,
    /// What to do it with.
    pub payload: Value,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Proves the claim when the effect is finished or put back; a later claim has a higher one.
    pub fence: u64,
}

/// An effect that has failed [`crate::ALARM_AFTER_FAILURES`] times or more. It is still tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmedEffect {
    /// Idempotency key.
    pub key: String,
    /// What to do.
    pub kind: String,
    /// What to do it with.
    pub payload: Value,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// How often it has failed, an unfinished claim included.
    pub failures: u32,
    /// What the newest failure said.
    pub last_error: Option<String>,
}

/// A row of the read model that is not what the events say.
#[derive(Clone, Debug, PartialEq)]
pub struct RowDifference {
    /// The request.
    pub id: RequestId,
    /// The row that is stored, if any.
    pub stored: Option<RequestRow>,
    /// The row that the events make, if the request has any.
    pub rebuilt: Option<RequestRow>,
}

/// An effect that waits, as operators see it.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingEffect {
    /// Idempotency key.
    pub key: String,
    /// What to do it with.
    pub payload: Value,
}

/// What waits in the effects queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Effects that are due, claimed or not, and those that failed often.
    pub due: u64,
    /// Those of them that failed [`crate::ALARM_AFTER_FAILURES`] times or more.
    pub alarmed: u64,
    /// When the oldest of those that are due was due.
    pub oldest_due: Option<Timestamp>,
}

/// What to do with rows that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuild {
    /// Report them.
    Compare,
    /// Report them and store what the events say.
    Rewrite,
}

/// One thing that is wrong with the stored data, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which examination found it.
    pub check: Check,
    /// What is wrong, and where.
    pub detail: String,
}

/// The examinations of [`crate::Store::integrity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The engine's own check of its file.
    Engine,
    /// Leaves are whole, parse, and each belongs to one event or attestation.
    Leaves,
    /// Rows beside the leaves say what the leaves say.
    Events,
    /// Versions are without gaps, and `previous` names the event before.
    Streams,
    /// Stored tiles are those that the leaves make.
    Tiles,
    /// The checkpoint is signed by this log's key and has the root of the leaves.
    Checkpoint,
    /// Documents have the digests that they are stored under.
    Documents,
    /// The read model is what the events make.
    ReadModel,
}
