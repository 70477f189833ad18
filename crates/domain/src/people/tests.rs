//! The directory's index of keys says what the persons say.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::{Bytes, Canonical};

use super::{Directory, DirectoryError, KeyProblem, RECOVERY_SECONDS};
use crate::event::{
    IdentityEvent, Passkey, PasskeyEnrolled, PasskeyRemoved, PersonCreated, PersonRecovered,
    RecoveryCancelled, StandingChanged,
};
use crate::id::PersonId;
use crate::signature::Authority;
use crate::time::Timestamp;

fn person(number: usize) -> PersonId {
    format!("01ARZ3NDEKTSV4RRFFQ69{number:05}").parse().unwrap()
}

/// Noon.
fn at() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn key(name: &str) -> Passkey {
    Passkey {
        credential_id: Bytes::new(name.as_bytes()).unwrap(),
        public_key: Bytes::new(*b"key").unwrap(),
        aaguid: Bytes::new([0; 16]).unwrap(),
        backup_eligible: false,
        attestation_sha256: None,
    }
}

fn created(number: usize, name: &str) -> IdentityEvent {
    IdentityEvent::Created(PersonCreated {
        person: person(number),
        passkey: key(name),
        roles: BTreeSet::new(),
        attributes: BTreeMap::new(),
        concealed: Vec::new(),
        authority: Authority::Genesis,
    })
}

fn enrolled(number: usize, name: &str) -> IdentityEvent {
    let (person, passkey) = (person(number), key(name));
    IdentityEvent::PasskeyEnrolled(PasskeyEnrolled { person, passkey, authority: Authority::Genesis })
}

fn removed(number: usize, name: &str) -> IdentityEvent {
    let credential_id = key(name).credential_id;
    let person = person(number);
    IdentityEvent::PasskeyRemoved(PasskeyRemoved { person, credential_id, authority: Authority::Genesis })
}

/// Takes in the event, and looks every key up in both ways.
fn check(directory: &mut Directory, event: &IdentityEvent, expected: Result<(), DirectoryError>) {
    let before = directory.clone();
    assert_eq!(directory.evolve(event, at()), expected, "{event:?}");
    if expected.is_err() {
        assert_eq!(*directory, before, "a refused event changes nothing");
    }
    for name in ["a", "b", "c"] {
        let searched = directory.persons().find(|person| person.passkeys.contains_key(name.as_bytes()));
        assert_eq!(directory.owner_of(name.as_bytes()), searched, "`{name}` after {event:?}");
    }
}

#[test]
fn a_key_is_found_while_it_is_enrolled() {
    let mut directory = Directory::default();
    check(&mut directory, &created(1, "a"), Ok(()));
    check(&mut directory, &created(1, "b"), Err(DirectoryError::Exists(person(1))));
    check(&mut directory, &created(2, "a"), Err(DirectoryError::PasskeyExists));
    check(&mut directory, &created(2, "b"), Ok(()));
    check(&mut directory, &enrolled(3, "c"), Err(DirectoryError::Unknown(person(3))));
    check(&mut directory, &enrolled(2, "a"), Err(DirectoryError::PasskeyExists));
    check(&mut directory, &enrolled(2, "c"), Ok(()));
    check(&mut directory, &removed(1, "c"), Err(DirectoryError::PasskeyUnknown(person(1))));
    check(&mut directory, &removed(2, "b"), Ok(()));
    check(&mut directory, &enrolled(1, "b"), Ok(()));
    assert_eq!(directory.owner_of(b"b").unwrap().id, person(1));
}

#[test]
fn a_copy_does_not_see_what_happens_after_it() {
    let mut directory = Directory::default();
    directory.evolve(&created(1, "a"), at()).unwrap();
    let copy = directory.clone();
    let body = StandingChanged { person: person(1), authority: Authority::Genesis };
    directory.evolve(&IdentityEvent::Suspended(body), at()).unwrap();
    directory.evolve(&enrolled(1, "b"), at()).unwrap();
    assert!(!copy.person(&person(1)).unwrap().suspended && copy.owner_of(b"b").is_none());
    assert!(directory.person(&person(1)).unwrap().suspended);
}

#[test]
fn many_enrolments_are_folded_in_linear_time() {
    let mut directory = Directory::default();
    for number in 0..20_000 {
        directory.evolve(&created(number, &format!("key {number}")), at()).unwrap();
    }
    assert_eq!(directory.owner_of(b"key 19999").unwrap().id, person(19_999));
}

fn recovered(number: usize, name: &str) -> IdentityEvent {
    let (person, passkey) = (person(number), key(name));
    IdentityEvent::Recovered(PersonRecovered { person, passkey, authority: Authority::Genesis })
}

fn cancelled(number: usize, name: &str) -> IdentityEvent {
    let credential_id = key(name).credential_id;
    let person = person(number);
    IdentityEvent::RecoveryCancelled(RecoveryCancelled {
        person,
        credential_id,
        authority: Authority::Genesis,
    })
}

/// Events of one person, each so many seconds after noon.
type History<'a> = &'a [(u64, IdentityEvent)];

/// A history told as the keys that count two days later.
fn keys_after(history: History<'_>) -> Vec<String> {
    let mut directory = Directory::default();
    directory.evolve(&created(1, "old"), at()).unwrap();
    directory.evolve(&enrolled(1, "older"), at()).unwrap();
    for (seconds, event) in history {
        if let Err(refusal) = directory.evolve(event, at().plus(*seconds)) {
            return vec![refusal.to_string().split(' ').take(3).collect::<Vec<_>>().join(" ")];
        }
    }
    let known = directory.person(&person(1)).unwrap();
    let all = ["old", "older", "new", "newer"].into_iter();
    let counts =
        all.filter(|name| known.counting_key(name.as_bytes(), at().plus(2 * RECOVERY_SECONDS)).is_ok());
    counts.map(str::to_owned).collect()
}

#[test]
fn a_new_key_takes_the_place_of_all_or_of_none() {
    let day = RECOVERY_SECONDS;
    let table: [(History<'_>, &[&str]); 9] = [
        (&[], &["old", "older"]),
        (&[(0, recovered(1, "new"))], &["new"]),
        (&[(0, recovered(1, "new")), (day - 1, cancelled(1, "new"))], &["old", "older"]),
        (&[(0, recovered(1, "new")), (day, cancelled(1, "new"))], &["no recovery of"]),
        (&[(0, recovered(1, "new")), (1, cancelled(1, "old"))], &["no recovery of"]),
        (&[(0, recovered(1, "new")), (1, removed(1, "old")), (2, cancelled(1, "new"))], &["older"]),
        (&[(0, recovered(1, "new")), (1, recovered(1, "newer"))], &["a recovery of"]),
        (&[(0, recovered(1, "new")), (day, recovered(1, "newer"))], &["newer"]),
        (&[(0, recovered(1, "old"))], &["that passkey is"]),
    ];
    for (history, expected) in table {
        assert_eq!(keys_after(history), expected, "{history:?}");
    }
}

#[test]
fn during_the_day_the_old_keys_stop_it_and_no_key_counts() {
    let mut directory = Directory::default();
    directory.evolve(&created(1, "old"), at()).unwrap();
    directory.evolve(&recovered(1, "new"), at()).unwrap();
    let known = directory.person(&person(1)).unwrap();
    let end = at().plus(RECOVERY_SECONDS);
    let just_before = at().plus(RECOVERY_SECONDS - 1);
    for (name, moment, counts, present) in [
        ("old", just_before, Err(KeyProblem::Lost), true),
        ("new", just_before, Err(KeyProblem::Waits(end)), true),
        ("other", just_before, Err(KeyProblem::NotTheirs), false),
        ("old", end, Err(KeyProblem::Lost), false),
        ("new", end, Ok(()), true),
    ] {
        assert_eq!(known.counting_key(name.as_bytes(), moment).map(|_| ()), counts, "{name} at {moment}");
        assert_eq!(known.present_key(name.as_bytes(), moment).is_some(), present, "{name} at {moment}");
        assert_eq!(directory.owner_of(name.as_bytes()).is_some(), name != "other");
    }
}

#[test]
fn a_person_whom_recovery_keys_let_in_waits_as_well() {
    let authority = Authority::RecoveryKeys { document: Canonical::of(&1).unwrap(), signatures: Vec::new() };
    let IdentityEvent::Created(body) = created(1, "a") else { panic!() };
    let mut directory = Directory::default();
    directory.evolve(&IdentityEvent::Created(PersonCreated { authority, ..body }), at()).unwrap();
    let known = directory.person(&person(1)).unwrap();
    let from = at().plus(RECOVERY_SECONDS);
    assert_eq!(known.counting_key(b"a", at()).map(|_| ()), Err(KeyProblem::Waits(from)));
    assert!(known.counting_key(b"a", from).is_ok());
}
