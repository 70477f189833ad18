//! Refusals, faults, and reasons not to open.

use std::path::PathBuf;

use chancery_canonical::Sha256;
use chancery_domain::id::RequestId;
use chancery_domain::leaf::{LeafError, Stream};
use chancery_faults::Injected;
use chancery_ledger::Root;

/// Why an append did not happen, or may not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended first. Load the stream and decide again.
    #[error("`{stream}` is at version {actual}, expected {expected}: load it and decide again")]
    Conflict {
        /// The stream.
        stream: Stream,
        /// The version the caller decided on.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
    /// A single-use ticket was used before, has expired, or never was.
    #[error("the `{kind}` is used up or expired: begin again with a new one")]
    TicketGone {
        /// What sort of ticket.
        kind: String,
        /// Its key.
        key: String,
    },
    /// A ticket that was to be made is there already: this is a repeat.
    #[error("the `{kind}` is taken: answer as the first time")]
    TicketTaken {
        /// What sort of ticket.
        kind: String,
        /// Its key.
        key: String,
    },
    /// The append itself is not acceptable. Trying again does not help.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed. Whether the append happened is unknown until the stream is read again.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What is wrong with an append.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An event has no leaf: too long, or not canonical.
    #[error("the event `{kind}` cannot be logged: {reason}")]
    Event {
        /// Name of the event.
        kind: String,
        /// Why.
        reason: LeafError,
    },
    /// An attestation's leaf is too long.
    #[error(
        "the attestation's leaf has {length} bytes, at most {maximum} are allowed: log its digest instead"
    )]
    AttestationTooLong {
        /// Its length in bytes.
        length: usize,
        /// The most bytes it may have.
        maximum: usize,
    },
    /// A document's bytes have another digest.
    #[error("the document's bytes do not have the digest `{sha256}`: compute it from the bytes")]
    DocumentDigest {
        /// The digest that was named.
        sha256: Sha256,
    },
    /// A row of the read model is not of the version its stream has.
    #[error(
        "the row of request `{id}` shows version {row}, its stream has {stream}: make it from all events"
    )]
    RowVersion {
        /// The request.
        id: RequestId,
        /// Version the row shows.
        row: u64,
        /// Version the stream has after this append.
        stream: u64,
    },
    /// There is no event at this leaf whose private values could be erased.
    #[error("leaf {leaf_index} is no event with private values: nothing can be erased there")]
    NothingToErase {
        /// Index of the leaf.
        leaf_index: u64,
    },
}

/// The store could not do its work. The detail is for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The database or the disk under it refused.
    #[error("the database failed: {0}; check the disk, then try again")]
    Database(String),
    /// A file beside the database could not be written or read.
    #[error("`{path}` failed: {reason}; check the disk, then try again")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("stored data is damaged: {0}; run `chancery server doctor`")]
    Damaged(String),
    /// The store was opened for reading only.
    #[error("the store is open for reading only: open it with the log's key to write")]
    ReadOnly,
    /// As many writes wait as the queue holds. Nothing was done.
    #[error("the writer's queue is full: try again in a moment")]
    Busy,
    /// The writer has ended.
    #[error("the store is closed: start again")]
    Closed,
}

impl From<Injected> for AppendError {
    fn from(injected: Injected) -> Self {
        Fault::from(injected).into()
    }
}

impl From<Injected> for OpenError {
    fn from(injected: Injected) -> Self {
        Fault::from(injected).into()
    }
}

impl From<Injected> for Fault {
    fn from(injected: Injected) -> Self {
        Self::Database(injected.to_string())
    }
}

/// Why a store does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The engine is too old.
    #[error("SQLite {found} can lose data in WAL mode: use {required} or newer")]
    EngineTooOld {
        /// Version linked.
        found: String,
        /// Oldest version that is good.
        required: String,
    },
    /// The file is some other program's database.
    #[error("`{path}` is not a Chancery database: name another file")]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The database was written by a newer program.
    #[error("the database has schema {found}, this program knows {known}: run the newer program")]
    NewerSchema {
        /// Number of the newest migration in the database.
        found: u32,
        /// Number of the newest migration in this program.
        known: u32,
    },
    /// Opened for reading only, and not migrated yet.
    #[error("the database has schema {found}, this program needs {known}: run `chancery server migrate`")]
    OlderSchema {
        /// Number of the newest migration in the database.
        found: u32,
        /// Number of the newest migration in this program.
        known: u32,
    },
    /// Another process writes to it.
    #[error("`{path}` is in use: stop the other server first")]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The log signed more than the database holds: a backup was restored.
    #[error(
        "the log signed a checkpoint of {} entries, the database holds {}: it is older than what was \
         signed; restore the newest copy, or take in what is missing from a mirror: \
         `chancery server adopt --log URL|DIR`", copy.size(), ours.size()
    )]
    OlderThanSigned {
        /// What the database holds.
        ours: Root,
        /// The newest checkpoint that was signed.
        copy: Root,
    },
    /// The database came out of a backup, and nobody has shown yet that nothing signed is missing in it.
    #[error(
        "`{path}` says that this database came out of a backup: nothing is signed on it until \
         `chancery server adopt` has compared it with the newest checkpoint that is known elsewhere"
    )]
    Restored {
        /// The mark.
        path: PathBuf,
    },
    /// The database holds another history than the one that was signed.
    #[error(
        "the checkpoint of {} entries that the log signed is not of the history in this database \
         ({} entries): restore the right database", copy.size(), ours.size()
    )]
    Forked {
        /// What the database holds.
        ours: Root,
        /// The newest checkpoint that was signed.
        copy: Root,
    },
    /// The copy of the newest checkpoint is gone.
    #[error(
        "`{path}` is missing: name the newest checkpoint of this log, from a mirror or a witness, so that \
         an older database cannot pass for the newest: `chancery server adopt --log URL|DIR`"
    )]
    CopyMissing {
        /// Where it belongs.
        path: PathBuf,
    },
    /// The copy of the newest checkpoint is not one of this log.
    #[error("`{path}` is not a checkpoint of this log: {reason}")]
    CopyUnreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The checkpoint in the database is not signed by this key, or its tree is damaged.
    #[error("the log in the database does not verify: {0}")]
    Log(String),
    /// The disk or the database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl OpenError {
    /// Whether what was signed may not be all here: then nothing may be signed, and reading still helps.
    pub fn holds_signing(&self) -> bool {
        match self {
            Self::OlderThanSigned { .. }
            | Self::Forked { .. }
            | Self::CopyMissing { .. }
            | Self::CopyUnreadable { .. }
            | Self::Restored { .. } => true,
            Self::EngineTooOld { .. }
            | Self::NotOurs { .. }
            | Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::InUse { .. }
            | Self::Log(_)
            | Self::Fault(_) => false,
        }
    }
}
