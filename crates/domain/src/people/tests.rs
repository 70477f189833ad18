//! The directory's index of keys says what the persons say.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::Bytes;

use super::{Directory, DirectoryError};
use crate::event::{IdentityEvent, Passkey, PasskeyEnrolled, PasskeyRemoved, PersonCreated, StandingChanged};
use crate::id::PersonId;
use crate::signature::Authority;

fn person(number: usize) -> PersonId {
    format!("01ARZ3NDEKTSV4RRFFQ69{number:05}").parse().unwrap()
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
    assert_eq!(directory.evolve(event), expected, "{event:?}");
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
    directory.evolve(&created(1, "a")).unwrap();
    let copy = directory.clone();
    let body = StandingChanged { person: person(1), authority: Authority::Genesis };
    directory.evolve(&IdentityEvent::Suspended(body)).unwrap();
    directory.evolve(&enrolled(1, "b")).unwrap();
    assert!(!copy.person(&person(1)).unwrap().suspended && copy.owner_of(b"b").is_none());
    assert!(directory.person(&person(1)).unwrap().suspended);
}

#[test]
fn many_enrolments_are_folded_in_linear_time() {
    let mut directory = Directory::default();
    for number in 0..20_000 {
        directory.evolve(&created(number, &format!("key {number}"))).unwrap();
    }
    assert_eq!(directory.owner_of(b"key 19999").unwrap().id, person(19_999));
}
