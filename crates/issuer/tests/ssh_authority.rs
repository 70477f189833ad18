//! The authority's key file: made once, private, never replaced.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod ssh_support;

use chancery_issuer::ssh::{Authority, AuthorityError, AuthorityKey};
use ring::rand::SystemRandom;
use ssh_support::{authority, request};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

#[test]
fn a_made_key_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let made = authority(folder.path());
    let path = folder.path().join("authority.pkcs8");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["authority.pkcs8"], "nothing else is left behind");
    let opened = Authority::open(&path).unwrap();
    assert_eq!(opened.key(), made.key());
    let unsigned = request(1).prepare(made.key()).unwrap();
    assert_eq!(unsigned.sign(&made), unsigned.sign(&opened), "Ed25519 is deterministic");
}

#[test]
fn a_key_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let first = authority(folder.path());
    let path = folder.path().join("authority.pkcs8");
    let again = Authority::create(&path, &SystemRandom::new());
    assert!(matches!(again, Err(AuthorityError::Exists(_))), "{again:?}");
    assert_eq!(Authority::open(&path).unwrap().key(), first.key());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn two_keys_differ() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_ne!(authority(one.path()).key(), authority(other.path()).key());
}

#[test]
fn files_that_others_may_touch_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    let path = folder.path().join("authority.pkcs8");
    for (mode, accepted) in [
        (0o600, true),
        (0o400, true),
        (0o640, false),
        (0o604, false),
        (0o620, false),
        (0o602, false),
        (0o610, false),
        (0o644, false),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        match Authority::open(&path) {
            Ok(_) => assert!(accepted, "mode {mode:o}"),
            Err(AuthorityError::Permissions { mode: seen, .. }) => {
                assert!(!accepted, "mode {mode:o}");
                assert_eq!(seen, mode);
            }
            Err(other) => panic!("mode {mode:o}: {other}"),
        }
    }
}

#[test]
fn what_is_not_the_key_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    let key = folder.path().join("authority.pkcs8");
    let link = folder.path().join("link");
    symlink(&key, &link).unwrap();
    assert!(matches!(Authority::open(&link), Err(AuthorityError::NotAFile(_))));
    assert!(matches!(Authority::open(folder.path()), Err(AuthorityError::NotAFile(_))));
    assert!(matches!(Authority::open(&folder.path().join("none")), Err(AuthorityError::File { .. })));
    let whole = fs::read(&key).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&whole[..whole.len() - 1], &flipped, b"", &[0_u8; 4096]] {
        fs::write(&key, damaged).unwrap();
        assert!(matches!(Authority::open(&key), Err(AuthorityError::Damaged(_))), "{damaged:?}");
    }
}

#[test]
fn a_failure_leaves_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no-such-folder/authority.pkcs8");
    assert!(matches!(Authority::create(&missing, &SystemRandom::new()), Err(AuthorityError::File { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_public_line_is_read_back_and_cannot_be_split() {
    let folder = tempfile::tempdir().unwrap();
    let key = *authority(folder.path()).key();
    for comment in ["", "chancery users", "two\nssh-ed25519 AAAA other", &"ä".repeat(300)] {
        let line = key.line(comment);
        assert!(!line.contains('\n') && line.starts_with("ssh-ed25519 AAAA"), "{line}");
        assert_eq!(AuthorityKey::parse(&line).unwrap(), key, "{line}");
    }
    assert!(AuthorityKey::parse("ssh-rsa AAAA").is_err());
}
