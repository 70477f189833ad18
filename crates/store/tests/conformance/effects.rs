//! The effects queue: claims, fences, failures, alarms.

use std::collections::BTreeSet;
use std::sync::Arc;

use chancery_domain::leaf::Stream;
use chancery_store::{ALARM_AFTER_FAILURES, Append, ClaimedEffect, NewEffect, Store};
use serde_json::json;

use super::{Engine, append, at, event};

fn effect(key: &str, due: u64) -> NewEffect {
    NewEffect { key: key.into(), kind: "mint".into(), due_at: at(due), payload: json!({"lease": key}) }
}

fn keys(claimed: &[ClaimedEffect]) -> Vec<&str> {
    claimed.iter().map(|effect| effect.key.as_str()).collect()
}

/// Due effects come oldest first, once; later ones wait for their moment.
pub async fn due_effects_are_claimed_in_order<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    for (key, due) in [("c", 30), ("a", 10), ("b", 20), ("d", 40)] {
        store.add_effect(effect(key, due)).await.unwrap();
    }
    assert_eq!(keys(&store.claim_effects(at(9), 10, 60).await.unwrap()), [] as [&str; 0]);
    assert_eq!(keys(&store.claim_effects(at(30), 2, 60).await.unwrap()), ["a", "b"]);
    assert_eq!(keys(&store.claim_effects(at(30), 2, 60).await.unwrap()), ["c"]);
    assert_eq!(keys(&store.claim_effects(at(40), 9, 60).await.unwrap()), ["d"]);
    assert_eq!(keys(&store.claim_effects(at(69), 9, 60).await.unwrap()), [] as [&str; 0]);
}

/// Many claimers at once: every effect goes to exactly one.
pub async fn claimers_share_without_overlap<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let store = Arc::new(store);
    let effects = (0..200).map(|number| effect(&format!("e{number:03}"), 0)).collect();
    store.append(Append { effects, ..append(Stream::Policy, 0, vec![event("e")]) }).await.unwrap();
    let claimers: Vec<_> = (0..16)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claimed = store.claim_effects(at(1), 7, 60).await.unwrap();
                    if claimed.is_empty() {
                        return mine;
                    }
                    for effect in claimed {
                        assert!(store.finish_effect(&effect.key, effect.fence).await.unwrap());
                        mine.push(effect.key);
                    }
                }
            })
        })
        .collect();
    let mut done = Vec::new();
    for claimer in claimers {
        done.extend(claimer.await.unwrap());
    }
    assert_eq!(done.len(), 200);
    assert_eq!(done.iter().collect::<BTreeSet<_>>().len(), 200);
    assert_eq!(store.claim_effects(at(9999), 9, 60).await.unwrap(), []);
}

/// A claimer whose lease has ended can neither finish nor put back what somebody else holds.
pub async fn two_claimers_never_both_finish<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    store.add_effect(effect("e", 0)).await.unwrap();
    let first = store.claim_effects(at(0), 1, 60).await.unwrap().remove(0);
    assert_eq!(store.claim_effects(at(59), 1, 60).await.unwrap(), []);
    let second = store.claim_effects(at(60), 1, 60).await.unwrap().remove(0);
    assert_eq!((first.attempt, second.attempt), (1, 2));
    assert!(second.fence > first.fence);
    assert!(!store.finish_effect("e", first.fence).await.unwrap());
    assert!(!store.retry_effect("e", first.fence, at(0), "late").await.unwrap());
    assert!(store.finish_effect("e", second.fence).await.unwrap());
    assert!(!store.finish_effect("e", second.fence).await.unwrap(), "not twice");
    assert!(!store.finish_effect("e", first.fence).await.unwrap());
    assert_eq!(store.claim_effects(at(9999), 9, 60).await.unwrap(), []);
}

/// An unclaimed effect cannot be finished, whatever fence is guessed.
pub async fn a_fence_is_needed<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    store.add_effect(effect("e", 0)).await.unwrap();
    for fence in 0..3 {
        assert!(!store.finish_effect("e", fence).await.unwrap());
    }
    let claimed = store.claim_effects(at(0), 1, 60).await.unwrap().remove(0);
    assert!(store.retry_effect("e", claimed.fence, at(100), "no").await.unwrap());
    assert!(!store.finish_effect("e", claimed.fence).await.unwrap(), "put back, so not claimed");
    assert_eq!(store.claim_effects(at(99), 1, 60).await.unwrap(), []);
    assert_eq!(store.claim_effects(at(100), 1, 60).await.unwrap().len(), 1);
}

/// Failures raise an alarm and the effect is tried on; a claim that was never answered is a failure too.
pub async fn six_failures_raise_an_alarm<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    store.add_effect(effect("e", 0)).await.unwrap();
    let mut now = 0;
    for failures in 1..=ALARM_AFTER_FAILURES + 1 {
        let claimed = store.claim_effects(at(now), 1, 10).await.unwrap().remove(0);
        assert_eq!(claimed.attempt, failures);
        let alarmed = store.alarmed_effects().await.unwrap();
        assert_eq!(alarmed.is_empty(), failures <= ALARM_AFTER_FAILURES, "after {} failures", failures - 1);
        if failures % 2 == 0 {
            // As if the process had died: nobody answers, the lease ends.
            now += 10;
        } else {
            assert!(store.retry_effect("e", claimed.fence, at(now), "target is down").await.unwrap());
        }
    }
    let alarmed = store.alarmed_effects().await.unwrap().remove(0);
    assert_eq!((alarmed.key.as_str(), alarmed.failures), ("e", ALARM_AFTER_FAILURES + 1));
    assert_eq!(alarmed.last_error.as_deref(), Some("target is down"));
    let claimed = store.claim_effects(at(now), 1, 10).await.unwrap().remove(0);
    assert!(store.finish_effect("e", claimed.fence).await.unwrap());
    assert_eq!(store.alarmed_effects().await.unwrap(), []);
}

/// A key that waits, runs or is done is a no-op; a cancelled one waits again, and its old claimer is shut out.
pub async fn a_key_names_one_effect<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let settle = |version, effects| Append {
        settle_effects: vec!["e".into(), "unknown".into()],
        effects,
        ..append(Stream::Policy, version, vec![event("e")])
    };
    store.add_effect(effect("e", 10)).await.unwrap();
    store.add_effect(effect("e", 0)).await.unwrap();
    assert_eq!(store.claim_effects(at(0), 9, 60).await.unwrap(), [], "the first due time stands");
    let first = store.claim_effects(at(10), 9, 60).await.unwrap().remove(0);
    store.append(settle(0, vec![])).await.unwrap();
    assert!(!store.finish_effect("e", first.fence).await.unwrap(), "cancelled");
    assert_eq!(store.claim_effects(at(999), 9, 60).await.unwrap(), []);
    store.append(settle(1, vec![effect("e", 20)])).await.unwrap();
    let again = store.claim_effects(at(999), 9, 60).await.unwrap().remove(0);
    assert_eq!(again.attempt, 1);
    assert!(!store.finish_effect("e", first.fence).await.unwrap(), "claimed before it was cancelled");
    assert!(store.finish_effect("e", again.fence).await.unwrap());
    store.append(settle(2, vec![effect("e", 30)])).await.unwrap();
    assert_eq!(store.claim_effects(at(9999), 9, 60).await.unwrap(), [], "done stays done");
}

/// A claimer that stops gives back what it did not begin: it is due at once, and nothing has failed.
pub async fn an_effect_that_was_not_begun_is_given_back<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    store.add_effect(effect("a", 10)).await.unwrap();
    let first = store.claim_effects(at(10), 9, 60).await.unwrap().remove(0);
    assert!(!store.release_effect("a", first.fence + 1).await.unwrap(), "another's claim");
    assert!(store.release_effect("a", first.fence).await.unwrap());
    assert!(!store.release_effect("a", first.fence).await.unwrap(), "twice");
    assert!(!store.finish_effect("a", first.fence).await.unwrap(), "it is not claimed any more");
    let second = store.claim_effects(at(10), 9, 60).await.unwrap().remove(0);
    assert_eq!((second.attempt, second.fence > first.fence), (1, true));
    for _ in 0..ALARM_AFTER_FAILURES {
        let claimed = store.claim_effects(at(70), 9, 0).await.unwrap().remove(0);
        store.release_effect("a", claimed.fence).await.unwrap();
    }
    let failures: Vec<u32> =
        store.alarmed_effects().await.unwrap().into_iter().map(|alarmed| alarmed.failures).collect();
    assert_eq!(failures, [] as [u32; 0], "only the claim that was lost counts as failed");
}
