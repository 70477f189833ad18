//! The journal, its log and the tables beside it. The only user of SQL.
//!
//! Read in this order: `append` (what is written), `record` (what is read), `store` (the interface), then
//! `sqlite` (the engine of a single machine): `writer` is its heart.
//!
//! What is deliberately absent: no rule about requests (a state is a text here), no clock (every time is an
//! argument), no key but the log's, and no way to change or remove a leaf.

mod adopt;
mod any;
mod append;
mod checkpoint_copy;
mod erasure;
mod error;
mod record;
mod sqlite;
mod store;

pub use adopt::{AdoptError, Adopted, Derive, Derived, Known};
pub use any::AnyStore;
pub use append::{
    Append, Appended, Document, Erasure, NewAttestation, NewEffect, NewEvent, Position, RequestFilter,
    RequestRow, StreamAppend, Ticket, TicketKey,
};
pub use checkpoint_copy::{kept_checkpoint, newest_in_copy};
pub use erasure::erase_values;
pub use error::{AppendError, Fault, OpenError, Refusal};
pub use record::{
    AlarmedEffect, Backlog, Check, ClaimedEffect, Finding, Past, Rebuild, RequestPage, RowDifference,
    StateCount, StoredAttestation, StoredEvent, StreamHead, WaitingEffect,
};
pub use sqlite::{LogSigner, SqliteOptions, SqliteStore};
pub use store::{ALARM_AFTER_FAILURES, MAX_PAGE, OPEN_STATES, Projection, Store};
