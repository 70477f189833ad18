//! Nobody changes while what rests on them is being recorded.

use std::time::Duration;

use chancery_evidence::identity::Chain;
use chancery_evidence::webauthn::RelyingParty;

use super::People;

fn people() -> People {
    let site = RelyingParty::new("localhost", ["http://localhost:8440".to_owned()]).unwrap();
    People::empty(Chain::unsealed("log.example", site))
}

#[tokio::test]
async fn what_was_decided_on_people_of_before_is_decided_again() {
    let people = people();
    let before = people.now();
    assert!(people.hold(&before).await.is_some());
    people.put(super::Snapshot::clone(&before));
    assert!(people.hold(&before).await.is_none());
    assert!(people.hold(&people.now()).await.is_some());
}

#[tokio::test]
async fn a_change_waits_for_what_is_being_recorded_and_the_next_record_for_the_change() {
    let people = people();
    let before = people.now();
    let short = Duration::from_millis(50);
    let held = people.hold(&before).await.unwrap();
    assert!(tokio::time::timeout(short, people.change()).await.is_err());
    drop(held);
    let changing = people.change().await;
    assert!(tokio::time::timeout(short, people.hold(&before)).await.is_err());
    people.put(super::Snapshot::clone(&before));
    drop(changing);
    assert!(people.hold(&before).await.is_none());
}
