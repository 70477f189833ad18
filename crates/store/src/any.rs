//! A store of any engine behind one type, so that a server is compiled once and does not know which it runs on.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
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
use crate::store::{Projection, Store};

/// An open store, whatever its engine. Clones are the same store.
#[derive(Clone)]
pub struct AnyStore(Arc<dyn Boxed>);

impl AnyStore {
    /// This store, its engine forgotten.
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Declares [`Boxed`] with a boxed future for every method named, has every [`Store`] implement it, and [`AnyStore`]
/// implement [`Store`] by it. What each method means stands at [`Store`] and nowhere else.
macro_rules! forward {
    ($life:lifetime: $(fn $name:ident($($argument:ident: $(ref $lent:ident)? $($given:ty)?),*) -> $answer:ty;)*) => {
        trait Boxed: Send + Sync + 'static {
            fn watch_size(&self) -> watch::Receiver<u64>;
            $(fn $name<$life>(&$life self, $($argument: $(&$life $lent)? $($given)?),*) -> Answer<$life, $answer>;)*
        }

        impl<S: Store> Boxed for S {
            fn watch_size(&self) -> watch::Receiver<u64> {
                Store::watch_size(self)
            }
            $(fn $name<$life>(&$life self, $($argument: $(&$life $lent)? $($given)?),*) -> Answer<$life, $answer> {
                Box::pin(Store::$name(self, $($argument),*))
            })*
        }

        impl Store for AnyStore {
            fn watch_size(&self) -> watch::Receiver<u64> {
                self.0.watch_size()
            }
            $(async fn $name(&self, $($argument: $(&$lent)? $($given)?),*) -> $answer {
                self.0.$name($($argument),*).await
            })*
        }
    };
}

forward! { 'a:
    fn append(append: Append) -> Result<Appended, AppendError>;
    fn stream(stream: ref Stream, from_version: u64) -> Result<Vec<StoredEvent>, Fault>;
    fn events_from(from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault>;
    fn identity_events_from(from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault>;
    fn alert_events_from(from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault>;
    fn streams_with_prefix(prefix: ref str) -> Result<Vec<StreamHead>, Fault>;
    fn entries(range: Range<u64>) -> Result<Vec<Vec<u8>>, Fault>;
    fn tile(path: TilePath) -> Result<Option<Vec<u8>>, Fault>;
    fn checkpoint() -> Result<SignedCheckpoint, Fault>;
    fn newest_time() -> Result<Option<Timestamp>, Fault>;
    fn document(sha256: Sha256) -> Result<Option<Document>, Fault>;
    fn request_row(id: ref RequestId) -> Result<Option<RequestRow>, Fault>;
    fn request_rows(filter: RequestFilter, after: Option<RequestId>, limit: usize) -> Result<RequestPage, Fault>;
    fn count_requests(filter: RequestFilter, since: Timestamp) -> Result<u64, Fault>;
    fn count_of_requester(past: ref Past, since: Vec<Timestamp>) -> Result<Vec<Vec<StateCount>>, Fault>;
    fn ticket(key: ref TicketKey, now: Timestamp) -> Result<Option<Ticket>, Fault>;
    fn tickets(kind: ref str, now: Timestamp) -> Result<Vec<Ticket>, Fault>;
    fn tickets_of(kind: ref str, prefix: ref str, now: Timestamp) -> Result<Vec<Ticket>, Fault>;
    fn put_ticket(ticket: Ticket) -> Result<(), Fault>;
    fn take_ticket(key: ref TicketKey, now: Timestamp) -> Result<Option<Ticket>, Fault>;
    fn sweep_tickets(now: Timestamp) -> Result<u64, Fault>;
    fn add_effect(effect: NewEffect) -> Result<(), Fault>;
    fn claim_effects(now: Timestamp, limit: usize, lease_seconds: u64) -> Result<Vec<ClaimedEffect>, Fault>;
    fn finish_effect(key: ref str, fence: u64) -> Result<bool, Fault>;
    fn retry_effect(key: ref str, fence: u64, due_at: Timestamp, error: ref str) -> Result<bool, Fault>;
    fn release_effect(key: ref str, fence: u64) -> Result<bool, Fault>;
    fn alarmed_effects() -> Result<Vec<AlarmedEffect>, Fault>;
    fn backlog(now: Timestamp) -> Result<Backlog, Fault>;
    fn open_requests() -> Result<Vec<(&'static str, u64)>, Fault>;
    fn put_private(leaf_index: u64, private: Value) -> Result<bool, Fault>;
    fn rebuild(mode: Rebuild, projection: Projection) -> Result<Vec<RowDifference>, Fault>;
    fn integrity(projection: Option<Projection>) -> Result<Vec<Finding>, Fault>;
}
