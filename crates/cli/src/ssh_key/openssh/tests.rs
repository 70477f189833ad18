use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::private_key;
use crate::ssh_key::GrantKey;

/// `ssh-keygen -y` reads the private file and derives the public line: an oracle that nobody here wrote.
#[test]
fn ssh_keygen_reads_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    // Comments of every length, so that the filling takes every length too
    for comment in ["", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]
    {
        let GrantKey::Fresh { seed, public, .. } = GrantKey::fresh().unwrap() else { panic!() };
        let parts = private_key(&seed, &public, comment).unwrap();
        let path = folder.path().join(format!("key-{}", comment.len()));
        fs::write(&path, &parts.private).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let derived = Command::new("ssh-keygen").arg("-y").arg("-f").arg(&path).output().unwrap();
        assert!(derived.status.success(), "{}", String::from_utf8_lossy(&derived.stderr));
        assert_eq!(String::from_utf8_lossy(&derived.stdout).trim_end(), parts.line.trim_end(), "{comment}");
    }
}

#[test]
fn possession_is_shown_by_a_fresh_key_and_by_one_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let challenge = chancery_canonical::Sha256::of(b"a request");
    let fresh = GrantKey::fresh().unwrap();
    assert!(!fresh.prove_possession(&challenge).unwrap().is_empty());

    let path = folder.path().join("own");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ecdsa", "-N", "", "-f"]).arg(&path).status().unwrap();
    assert!(made.success());
    let own = GrantKey::own(&path.with_extension("pub")).unwrap();
    assert!(own.line().starts_with("ecdsa-sha2-nistp256 "));
    assert!(!own.prove_possession(&challenge).unwrap().is_empty());
}
