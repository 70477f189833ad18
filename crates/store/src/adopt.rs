//! Going on from a database that may be older than what was signed: what it takes, and what comes of it.

use std::sync::Arc;

use chancery_domain::id::RequestId;
use chancery_ledger::{Root, SignedCheckpoint};

use crate::append::{Erasure, NewEffect, RequestRow};
use crate::error::{Fault, OpenError};
use crate::record::StoredEvent;

/// What is known from outside.
#[derive(Clone, Debug)]
pub struct Known {
    /// Checkpoints of this log, their signatures verified: from mirrors, witnesses, evidence, the old disk.
    pub checkpoints: Vec<SignedCheckpoint>,
    /// The entries that the database does not have, in order, up to the newest of those checkpoints; empty when
    /// there is no mirror to read them from.
    pub entries: Vec<Vec<u8>>,
}

/// What stands beside the leaves of a request whose events came from a mirror.
#[derive(Clone, Debug)]
pub struct Derived {
    /// Its row of the read model.
    pub row: RequestRow,
    /// What is still to be done.
    pub effects: Vec<NewEffect>,
    /// Keys of effects that are settled.
    pub settle_effects: Vec<String>,
    /// Private values that were erased after the backup was made.
    pub erase: Vec<Erasure>,
}

/// Makes [`Derived`] from all events of a request, those from this leaf index on being new here.
pub type Derive = Arc<dyn Fn(&RequestId, &[StoredEvent], u64) -> Result<Derived, String> + Send + Sync>;

/// A database that may sign again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Entries it had.
    pub before: u64,
    /// Entries it has now.
    pub size: u64,
}

/// Why nothing may be signed on this database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// Nobody named a checkpoint.
    #[error(
        "no checkpoint of this log is known but the database's own, of {} entries, so nobody can tell whether \
         anything came after it; name the newest one: a mirror, a witness, the newest evidence or receipt, or \
         `checkpoint/newest` of the old disk; where there is none, this log must begin a new life \
         (`chancery log rotate`)", ours.size()
    )]
    NothingKnown {
        /// What the database holds.
        ours: Root,
    },
    /// What is known is older than the database.
    #[error(
        "the newest checkpoint that was named is of {} entries, the database holds {}: it cannot show that \
         nothing came after; name a newer one", newest.size(), ours.size()
    )]
    Behind {
        /// What the database holds.
        ours: Root,
        /// The newest that was named.
        newest: Root,
    },
    /// Entries were signed that are not here.
    #[error(
        "entries {from} to {} were signed after this database was copied and are missing here: name a mirror of \
         the log that holds them; without one this log cannot go on, and must begin a new life \
         (`chancery log rotate`)", to.saturating_sub(1)
    )]
    Missing {
        /// First entry that is missing.
        from: u64,
        /// One past the last.
        to: u64,
    },
    /// Two histories.
    #[error(
        "the checkpoint of {} entries is not of the history in this database ({} entries): two histories were \
         signed under one key, which every witness will see; keep both, and restore the database that belongs to \
         the checkpoint", known.size(), ours.size()
    )]
    Forked {
        /// What the database holds.
        ours: Root,
        /// What is not of it.
        known: Root,
    },
    /// The mirror's entries are not those that were signed.
    #[error("the entries from the mirror do not make what was signed: {0}; name another mirror")]
    Entries(String),
    /// The database does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk or the database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}
