//! The one interface that every engine offers, and that one suite of tests (`tests/conformance`) holds it to.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use chancery_canonical::Sha256;
use chancery_domain::id::RequestId;
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_ledger::{SignedCheckpoint, TilePath};
use serde_json::Value;
use tokio::sync::watch;

use crate::append::{Append, Appended, Document, NewEffect, RequestFilter, RequestRow, Ticket, TicketKey};
use crate::error::{AppendError, Fault};
use crate::record::{
    AlarmedEffect, Backlog, ClaimedEffect, Finding, Past, Rebuild, RequestPage, RowDifference, StateCount,
    StoredEvent, StreamHead,
};

/// The most rows one page has.
pub const MAX_PAGE: usize = 200;

/// From this many failures on an effect is listed by [`Store::alarmed_effects`]. It is never given up silently.
pub const ALARM_AFTER_FAILURES: u32 = 6;

/// States in which something can still happen by itself or by a person; the others only ever grow in number.
pub const OPEN_STATES: [&str; 6] = ["evaluating", "pending", "approved", "active", "unknown", "rolling_back"];

/// Makes the row of the read model from all events of one request's stream; `Err` says why it cannot.
pub type Projection = Arc<dyn Fn(&RequestId, &[StoredEvent]) -> Result<RequestRow, String> + Send + Sync>;

/// The journal, its log, and the tables beside it.
///
/// INVARIANT: an append that was answered with `Ok` is durable, covered by the signed checkpoint in the answer,
/// and that checkpoint is also kept apart from the database.
///
/// Dropping a future does not undo what it asked for: a caller that stops waiting does not know the outcome.
pub trait Store: Send + Sync + 'static {
    /// Appends events and what goes with them: all or nothing.
    ///
    /// # Errors
    /// [`AppendError`]. After a fault the outcome is unknown until the streams are read again.
    fn append(&self, append: Append) -> impl Future<Output = Result<Appended, AppendError>> + Send;

    /// The events of a stream from `from_version` on, in order. 0 and 1 both mean all.
    ///
    /// # Errors
    /// [`Fault`], here and below, when the database fails or holds something that was never written to it.
    fn stream(
        &self,
        stream: &Stream,
        from_version: u64,
    ) -> impl Future<Output = Result<Vec<StoredEvent>, Fault>> + Send;

    /// Events of all streams whose leaf index is `from_index` or higher, in log order, at most `limit`.
    fn events_from(
        &self,
        from_index: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<StoredEvent>, Fault>> + Send;

    /// The events of all identity streams whose leaf index is `from_index` or higher, in log order, at most `limit`. It takes
    /// no longer in a log that holds more of everything else.
    fn identity_events_from(
        &self,
        from_index: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<StoredEvent>, Fault>> + Send;

    /// The same of all streams of alerts.
    fn alert_events_from(
        &self,
        from_index: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<StoredEvent>, Fault>> + Send;

    /// Streams whose name begins with `prefix` (`identity/`), in order of their names.
    fn streams_with_prefix(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<StreamHead>, Fault>> + Send;

    /// Leaf bytes by index, attestations' leaves included; cut at the end of the log.
    fn entries(&self, range: Range<u64>) -> impl Future<Output = Result<Vec<Vec<u8>>, Fault>> + Send;

    /// Bytes of a hash tile or entry bundle at the width asked for (c2sp.org/tlog-tiles); `None` if the log has
    /// not grown that far. Narrower widths than the newest stay readable.
    fn tile(&self, path: TilePath) -> impl Future<Output = Result<Option<Vec<u8>>, Fault>> + Send;

    /// The newest committed checkpoint.
    fn checkpoint(&self) -> impl Future<Output = Result<SignedCheckpoint, Fault>> + Send;

    /// Watches the log's size: changes once for every batch of appends, after its checkpoint is published.
    fn watch_size(&self) -> watch::Receiver<u64>;

    /// Greatest time of any event; a clock behind it is wrong. `None` in an empty log.
    fn newest_time(&self) -> impl Future<Output = Result<Option<Timestamp>, Fault>> + Send;

    /// A document by digest. Its bytes are checked against the digest.
    fn document(&self, sha256: Sha256) -> impl Future<Output = Result<Option<Document>, Fault>> + Send;

    /// One row of the read model.
    fn request_row(&self, id: &RequestId) -> impl Future<Output = Result<Option<RequestRow>, Fault>> + Send;

    /// A page of requests, newest first; `after` is the `next` of the page before; at most [`MAX_PAGE`] rows.
    fn request_rows(
        &self,
        filter: RequestFilter,
        after: Option<RequestId>,
        limit: usize,
    ) -> impl Future<Output = Result<RequestPage, Fault>> + Send;

    /// How many requests that match were made at or after `since`.
    fn count_requests(
        &self,
        filter: RequestFilter,
        since: Timestamp,
    ) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// For each of these moments: how many requests of a requester were made at or after it, by their state now, and how
    /// many of them for this entitlement and subject.
    fn count_of_requester(
        &self,
        past: &Past,
        since: Vec<Timestamp>,
    ) -> impl Future<Output = Result<Vec<Vec<StateCount>>, Fault>> + Send;

    /// A ticket that is good at `now`.
    fn ticket(
        &self,
        key: &TicketKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Ticket>, Fault>> + Send;

    /// All tickets of a kind that are good at `now`, in order of their keys.
    fn tickets(&self, kind: &str, now: Timestamp) -> impl Future<Output = Result<Vec<Ticket>, Fault>> + Send;

    /// Tickets of a kind whose key begins with `prefix` that are good at `now`, in order of their keys.
    fn tickets_of(
        &self,
        kind: &str,
        prefix: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Ticket>, Fault>> + Send;

    /// Stores a ticket, in place of an older one of the same key.
    fn put_ticket(&self, ticket: Ticket) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Removes a ticket and returns it if it was good at `now`. Of several takers one gets it.
    fn take_ticket(
        &self,
        key: &TicketKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Ticket>, Fault>> + Send;

    /// Removes tickets that are not good any more at `now`; returns how many.
    fn sweep_tickets(&self, now: Timestamp) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// Adds an effect apart from any append, such as a timer. The same key is a no-op, as in an append.
    fn add_effect(&self, effect: NewEffect) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Claims up to `limit` due effects for `lease_seconds`. Nobody else gets them before the lease ends. A claim
    /// that ended without an answer counts as a failure.
    fn claim_effects(
        &self,
        now: Timestamp,
        limit: usize,
        lease_seconds: u64,
    ) -> impl Future<Output = Result<Vec<ClaimedEffect>, Fault>> + Send;

    /// Marks a claimed effect as done. `false`: the claim was lost meanwhile, and nothing changed.
    fn finish_effect(&self, key: &str, fence: u64) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Puts a claimed effect back after a failure, due again at `due_at`. `false`: the claim was lost meanwhile.
    fn retry_effect(
        &self,
        key: &str,
        fence: u64,
        due_at: Timestamp,
        error: &str,
    ) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Gives a claimed effect back that was not begun: it is due as before, and the claim counts as none. `false`:
    /// the claim was lost meanwhile.
    fn release_effect(&self, key: &str, fence: u64) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Waiting effects that have failed [`ALARM_AFTER_FAILURES`] times or more.
    fn alarmed_effects(&self) -> impl Future<Output = Result<Vec<AlarmedEffect>, Fault>> + Send;

    /// How much waits in the effects queue at `now`.
    fn backlog(&self, now: Timestamp) -> impl Future<Output = Result<Backlog, Fault>> + Send;

    /// How many requests are in each state of [`OPEN_STATES`], in that order.
    fn open_requests(&self) -> impl Future<Output = Result<Vec<(&'static str, u64)>, Fault>> + Send;

    /// Stores private values beside an event, in place of what was there. `false`: no event has that leaf.
    fn put_private(
        &self,
        leaf_index: u64,
        private: Value,
    ) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Makes the read model `requests` from the events again, and compares or rewrites it.
    fn rebuild(
        &self,
        mode: Rebuild,
        projection: Projection,
    ) -> impl Future<Output = Result<Vec<RowDifference>, Fault>> + Send;

    /// Recomputes everything from the leaves: tree, tiles, checkpoint, streams, rows beside them, documents, and
    /// the read model where a projection is given. An empty list means that all is well.
    fn integrity(
        &self,
        projection: Option<Projection>,
    ) -> impl Future<Output = Result<Vec<Finding>, Fault>> + Send;
}
