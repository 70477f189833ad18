//! The SQLite engine: the conformance suite, and what only a file on a disk can suffer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "these are tests; a panic is how they fail"
)]

mod conformance;
mod sqlite_cases;

use std::path::{Path, PathBuf};

use chancery_store::{OpenError, SqliteOptions, SqliteStore};
use conformance::{Engine, log_key, signer};
use tempfile::TempDir;

/// A directory for one database, and the checkpoint's copy in another one.
pub struct Sqlite {
    directory: TempDir,
}

impl Sqlite {
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn database(&self) -> PathBuf {
        self.path().join("data").join("chancery.db")
    }

    pub fn copy(&self) -> PathBuf {
        self.path().join("apart").join("checkpoint")
    }

    pub fn try_open(&self) -> Result<SqliteStore, OpenError> {
        SqliteStore::open(SqliteOptions {
            database: self.database(),
            checkpoint_copy: self.copy(),
            signer: signer(),
        })
    }

    pub fn open_read_only(&self) -> Result<SqliteStore, OpenError> {
        SqliteStore::open_read_only(self.database(), log_key())
    }
}

impl Engine for Sqlite {
    type Store = SqliteStore;

    fn fresh() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn open(&self) -> SqliteStore {
        self.try_open().unwrap()
    }
}

conformance_suite! { crate::Sqlite:
    journal {
        versions_and_previous_are_contiguous
        an_attestation_follows_its_event
        a_conflict_names_both_versions
        an_append_is_all_or_nothing
        refusals_are_named
        group_commit_loses_and_doubles_nothing
        one_writer_wins_a_version
        tiles_answer_at_every_width
        events_come_in_log_order
        identity_events_come_alone
        a_restart_changes_nothing
    }
    tickets {
        a_nonce_is_consumed_once
        a_ticket_is_taken_once
        a_ticket_expires
        a_repeat_is_recognised
        sweeping_and_replacing
        tickets_by_the_beginning_of_their_keys
    }
    effects {
        due_effects_are_claimed_in_order
        claimers_share_without_overlap
        two_claimers_never_both_finish
        a_fence_is_needed
        six_failures_raise_an_alarm
        a_key_names_one_effect
        an_effect_that_was_not_begun_is_given_back
    }
    requests {
        filters_restrict
        counts_of_a_requester
        pages_join
        a_row_is_replaced
        a_rebuild_finds_and_repairs
    }
    private {
        an_erasure_leaves_the_leaf
        an_erasure_of_nothing_is_refused
        private_values_are_replaced
    }
}
