//! OpenSSH's own ssh-keygen reads what is written here, and what it writes is read here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod ssh_support;

use chancery_issuer::ssh::{
    Algorithm, Authority, AuthorityKey, Certificate, CertificateRequest, Krl, SubjectKey,
};
use ssh_support::{
    VALIDITY, authority, key_pair, line_of, public_line, request, ssh_keygen, write_certificate,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What `ssh-keygen -L` prints, without indentation and without the line of the file.
fn listed(certificate: &Path) -> Vec<String> {
    let output = ssh_keygen(&["-L", "-f", certificate.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn ssh_keygen_shows_every_field() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let request = CertificateRequest {
        principals: vec!["deploy".into(), "dba".into()],
        source_addresses: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        force_command: Some("systemctl restart api".into()),
        permit_port_forwarding: true,
        permit_agent_forwarding: true,
        permit_x11_forwarding: true,
        ..request(u64::MAX)
    };
    let path = write_certificate(&authority, &request, folder.path(), "all");
    let key = request.subject_key.fingerprint();
    let ca = authority.key().fingerprint();
    assert_eq!(
        listed(&path),
        [
            "Type: ssh-ed25519-cert-v01@openssh.com user certificate",
            &format!("Public key: ED25519-CERT {key}"),
            &format!("Signing CA: ED25519 {ca} (using ssh-ed25519)"),
            "Key ID: \"lease/18446744073709551615\"",
            "Serial: 18446744073709551615",
            "Valid: from 2030-01-02T03:04:05 to 2030-01-02T04:04:05",
            "Principals:",
            "deploy",
            "dba",
            "Critical Options:",
            "force-command systemctl restart api",
            "source-address 10.0.0.0/8,2001:db8::/32",
            "Extensions:",
            "permit-X11-forwarding",
            "permit-agent-forwarding",
            "permit-port-forwarding",
            "permit-pty",
        ]
    );
}

#[test]
fn by_default_only_a_terminal_is_permitted() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let path = write_certificate(&authority, &request(1), folder.path(), "default");
    let lines = listed(&path);
    let tail: Vec<&str> = lines.iter().skip(8).map(String::as_str).collect();
    assert_eq!(tail, ["Critical Options: (none)", "Extensions:", "permit-pty"]);
    let bare = CertificateRequest { permit_pty: false, ..request(2) };
    let path = write_certificate(&authority, &bare, folder.path(), "bare");
    assert_eq!(listed(&path).last().unwrap(), "Extensions: (none)");
}

#[test]
fn ssh_keygen_reads_every_kind_of_key() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    for algorithm in Algorithm::ALL {
        let keys = tempfile::tempdir().unwrap();
        let subject_key = SubjectKey::parse(&line_of(algorithm, keys.path())).unwrap();
        let fingerprint = subject_key.fingerprint();
        let path = write_certificate(
            &authority,
            &CertificateRequest { subject_key, ..request(3) },
            keys.path(),
            "kind",
        );
        let lines = listed(&path);
        assert_eq!(lines[0], format!("Type: {} user certificate", algorithm.certificate_name()));
        assert!(lines[1].ends_with(&fingerprint), "{}", lines[1]);
    }
}

#[test]
fn certificates_by_ssh_keygen_are_the_same_bytes() {
    for (name, kind, bits) in [("e", "ed25519", "256"), ("p", "ecdsa", "256"), ("r", "rsa", "3072")] {
        let folder = tempfile::tempdir().unwrap();
        let ca = key_pair(folder.path(), "ca", "ed25519", "256");
        let user = key_pair(folder.path(), name, kind, bits);
        let public = user.with_extension("pub");
        let arguments = [
            "-q",
            "-s",
            ca.to_str().unwrap(),
            "-I",
            "lease/7",
            "-z",
            "7",
            "-n",
            "deploy,dba",
            "-V",
            "20300102030405:20300102040405",
            "-O",
            "clear",
            "-O",
            "permit-pty",
            "-O",
            "permit-X11-forwarding",
            "-O",
            "source-address=10.0.0.0/8,192.0.2.7/32",
            "-O",
            "force-command=uptime -p",
            public.to_str().unwrap(),
        ];
        let made = ssh_keygen(&arguments);
        assert!(made.status.success(), "{made:?}");
        let line = fs::read_to_string(folder.path().join(format!("{name}-cert.pub"))).unwrap();
        let certificate = Certificate::parse(&line).unwrap();
        let nonce = certificate.contents().nonce;
        let expected = CertificateRequest {
            principals: vec!["deploy".into(), "dba".into()],
            source_addresses: vec!["10.0.0.0/8".parse().unwrap(), "192.0.2.7".parse().unwrap()],
            force_command: Some("uptime -p".into()),
            permit_x11_forwarding: true,
            subject_key: SubjectKey::parse(&public_line(&user)).unwrap(),
            nonce,
            ..request(7)
        };
        assert_eq!(certificate.contents(), &expected);
        assert_eq!(
            (certificate.contents().valid_after, certificate.contents().valid_before),
            (VALIDITY.start, VALIDITY.end)
        );
        assert_eq!(certificate.verify(&AuthorityKey::parse(&public_line(&ca)).unwrap()), Ok(()));
    }
}

/// The certificates of `serials` on disk, and which of them ssh-keygen finds on the list.
fn found_on(list: &Krl, authority: &Authority, serials: &BTreeSet<u64>) -> BTreeSet<u64> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.krl");
    list.publish(&path).unwrap();
    let files: Vec<(u64, PathBuf)> = serials
        .iter()
        .map(|serial| {
            (*serial, write_certificate(authority, &request(*serial), folder.path(), &serial.to_string()))
        })
        .collect();
    let mut arguments = vec!["-Q", "-f", path.to_str().unwrap()];
    arguments.extend(files.iter().map(|(_, file)| file.to_str().unwrap()));
    let output = ssh_keygen(&arguments);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), serials.len(), "{output:?}");
    let mut revoked = BTreeSet::new();
    for ((serial, file), line) in files.iter().zip(text.lines()) {
        assert!(line.starts_with(file.to_str().unwrap()), "{line}");
        match line.rsplit(' ').next() {
            Some("REVOKED") => drop(revoked.insert(*serial)),
            Some("ok") => {}
            other => panic!("{other:?} in {line}"),
        }
    }
    assert_eq!(output.status.success(), revoked.is_empty(), "{output:?}");
    revoked
}

fn check(name: &str, revoked: &[u64]) {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let mut list = Krl::empty(*authority.key(), VALIDITY.start, "chancery").unwrap();
    for serial in revoked {
        list.revoke(*serial).unwrap();
    }
    // every 13th with its neighbours, and the ends
    let probes: BTreeSet<u64> = revoked
        .iter()
        .step_by(13)
        .chain(revoked.last())
        .flat_map(|serial| [serial.saturating_sub(1).max(1), *serial, serial.saturating_add(1)])
        .chain([1, 2, u64::MAX - 1, u64::MAX])
        .collect();
    let on_list: BTreeSet<u64> = revoked.iter().copied().collect();
    let expected: BTreeSet<u64> = probes.intersection(&on_list).copied().collect();
    assert_eq!(found_on(&list, &authority, &probes), expected, "{name}");
}

#[test]
fn ssh_keygen_finds_what_is_revoked_and_nothing_else() {
    check("none", &[]);
    check("one", &[1]);
    check("the last", &[u64::MAX]);
    check("the last two and the first", &[1, u64::MAX - 1, u64::MAX]);
    check("scattered", &(1..=1000).map(|number| number * 1_000_003).collect::<Vec<_>>());
    check("a row", &(500..1500).collect::<Vec<_>>());
    check("every other", &(1..=1000).map(|number| 2 * number).collect::<Vec<_>>());
    check("the longest bitmaps", &(0..8192).map(|number| 3 + 2 * number).collect::<Vec<_>>());
    check("a bitmap at the end", &(0..300).map(|number| u64::MAX - 2 * number).rev().collect::<Vec<_>>());
    let mixed: Vec<u64> =
        (10..40).chain((0..200).map(|number| 100 + 3 * number)).chain([1 << 40, 1 << 50]).collect();
    check("all three at once", &mixed);
}

#[test]
fn a_list_of_another_authority_revokes_nothing_of_ours() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ours, theirs) = (authority(one.path()), authority(other.path()));
    let mut list = Krl::empty(*theirs.key(), VALIDITY.start, "").unwrap();
    list.revoke_range(1..=u64::MAX).unwrap();
    list.revoke_key_id("lease/5").unwrap();
    let serials = BTreeSet::from([1, 5, u64::MAX]);
    assert_eq!(found_on(&list, &ours, &serials), BTreeSet::new());
    assert_eq!(found_on(&list, &theirs, &serials), serials);
}

#[test]
fn a_key_id_revokes_all_its_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let mut list = Krl::empty(*authority.key(), VALIDITY.start, "").unwrap();
    list.revoke_key_id("lease/5").unwrap();
    assert_eq!(found_on(&list, &authority, &BTreeSet::from([4, 5, 55])), BTreeSet::from([5]));
}

#[test]
fn lists_by_ssh_keygen_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(place("ca.pub"), authority.key().line("ca")).unwrap();
    fs::write(
        place("specification"),
        "serial: 1\nserial: 7\nserial: 9\nserial: 11\nserial: 100-9999\nserial: 18446744073709551615\nid: lease/x\n",
    )
    .unwrap();
    let made = ssh_keygen(&[
        "-k",
        "-f",
        &place("list"),
        "-z",
        "42",
        "-s",
        &place("ca.pub"),
        &place("specification"),
    ]);
    assert!(made.status.success(), "{made:?}");
    let list = Krl::decode(&fs::read(place("list")).unwrap(), authority.key()).unwrap();
    assert_eq!(list.number(), 42);
    let runs: Vec<_> = list.serials().collect();
    assert_eq!(runs, [1..=1, 7..=7, 9..=9, 11..=11, 100..=9999, u64::MAX..=u64::MAX]);
    assert_eq!(list.key_ids().collect::<Vec<_>>(), ["lease/x"]);
    let output = ssh_keygen(&["-Q", "-l", "-f", &place("list")]);
    assert!(output.status.success(), "{output:?}");
}
