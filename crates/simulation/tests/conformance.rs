//! The simulated store does what the real one does: it passes the same suite.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "these are tests; a panic is how they fail"
)]

#[path = "../../store/tests/conformance/mod.rs"]
mod conformance;

use chancery_ledger::{KeyType, Origin, SignerKey};
use chancery_simulation::{Disk, LogKey, SimulatedStore, State};
use chancery_store::Store as _;
use conformance::{Engine, append, assert_sound, event, request_stream};

/// A disk on which every step happens at once.
pub struct Simulated(Disk);

impl Engine for Simulated {
    type Store = SimulatedStore;

    fn fresh() -> Self {
        let origin: Origin = "log.example.com".parse().unwrap();
        let key = SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &[7; 32]).unwrap();
        let key = LogKey::new(origin, key);
        Self(Disk::free(State::empty(&key).unwrap(), key))
    }

    fn open(&self) -> SimulatedStore {
        self.0.attach(0)
    }
}

/// What the real engine loses with the power is nothing, and neither does this one.
#[tokio::test]
async fn an_acknowledged_append_outlives_the_power() {
    let place = Simulated::fresh();
    let store = place.open();
    store.append(append(request_stream(1), 0, vec![event("a")])).await.unwrap();
    place.0.kill(&store);
    place.0.cut_power();
    let store = place.open();
    assert_eq!(store.stream(&request_stream(1), 0).await.unwrap().len(), 1);
    assert_sound(&store).await;
}

conformance_suite! { crate::Simulated:
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
