//! Certificates: limits, one encoding, every changed byte noticed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod ssh_support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chancery_issuer::ssh::{
    Algorithm, Certificate, CertificateError, CertificateRequest, Cidr, RequestError, SubjectKey,
};
use proptest::prelude::*;
use ssh_support::{VALIDITY, authority, encoded_line, line_of, request, subject};

fn check(change: impl FnOnce(&mut CertificateRequest), expected: Result<(), RequestError>) {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let mut request = request(1);
    change(&mut request);
    let result = request.prepare(authority.key()).map(drop);
    assert_eq!(result, expected.map_err(CertificateError::Request), "{request:?}");
}

fn principals(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn serials_and_key_ids() {
    check(|request| request.serial = 0, Err(RequestError::SerialZero));
    check(|request| request.serial = u64::MAX, Ok(()));
    for (key_id, accepted) in [
        ("lease/01J", true),
        ("with space", true),
        (&*"x".repeat(255), true),
        (&*"x".repeat(256), false),
        ("", false),
        ("line\nbreak", false),
        ("tab\t", false),
        ("naïve", false),
        ("\u{7f}", false),
    ] {
        check(
            |request| request.key_id = key_id.to_owned(),
            if accepted { Ok(()) } else { Err(RequestError::KeyId) },
        );
    }
}

#[test]
fn principals_name_accounts_one_by_one() {
    let many: Vec<String> = (0..65).map(|number| format!("user{number}")).collect();
    check(|request| request.principals = Vec::new(), Err(RequestError::PrincipalCount));
    check(|request| request.principals = many.clone(), Err(RequestError::PrincipalCount));
    check(|request| request.principals = many[..64].to_vec(), Ok(()));
    check(|request| request.principals = principals(&["deploy", "host:db-1", "ops@example.org"]), Ok(()));
    check(
        |request| request.principals = principals(&["deploy", "deploy"]),
        Err(RequestError::PrincipalTwice("deploy".into())),
    );
    for name in ["", "root,deploy", "a b", "a\n", "a\0", "*", "ro?t", "!root", "\"root\"", "ünal"] {
        check(
            |request| request.principals = principals(&["deploy", name]),
            Err(RequestError::Principal(name.into())),
        );
    }
}

#[test]
fn nothing_is_valid_forever() {
    for (after, before, accepted) in [
        (1, 2, true),
        (1_893_553_445, 253_402_300_799, true),
        (1, 253_402_300_800, false),
        (1, u64::MAX, false),
        (1, u64::MAX - 1, false),
        (0, 10, false),
        (5, 5, false),
        (6, 5, false),
    ] {
        check(
            |request| (request.valid_after, request.valid_before) = (after, before),
            if accepted { Ok(()) } else { Err(RequestError::Validity { after, before }) },
        );
    }
    let request = request(1);
    let during = [VALIDITY.start - 1, VALIDITY.start, VALIDITY.end - 1, VALIDITY.end];
    assert_eq!(during.map(|second| request.is_valid_at(second)), [false, true, true, false]);
}

#[test]
fn forced_commands_are_one_visible_line() {
    for (command, accepted) in [
        ("systemctl restart api", true),
        ("printf 'ä' | cat", true),
        (&*"x".repeat(4096), true),
        (&*"x".repeat(4097), false),
        ("", false),
        ("true\nrm -rf /", false),
        ("echo \u{1b}[2K", false),
        ("a\0b", false),
    ] {
        check(
            |request| request.force_command = Some(command.to_owned()),
            if accepted { Ok(()) } else { Err(RequestError::Command) },
        );
    }
}

#[test]
fn networks_are_read_as_sshd_reads_them() {
    for (text, shown) in [
        ("192.0.2.0/24", Some("192.0.2.0/24")),
        ("192.0.2.7", Some("192.0.2.7/32")),
        ("0.0.0.0/0", Some("0.0.0.0/0")),
        ("2001:DB8::/32", Some("2001:db8::/32")),
        ("::/0", Some("::/0")),
        ("::1", Some("::1/128")),
        ("192.0.2.1/24", None),
        ("2001:db8::1/64", None),
        ("192.0.2.0/33", None),
        ("::/129", None),
        ("10.0.0.0/08", None),
        ("10.0.0.0/+8", None),
        ("10.0.0.0/", None),
        ("10.0.0/8", None),
        ("010.0.0.0/8", None),
        ("10.0.0.0/8/8", None),
        ("::ffff:192.0.2.0/120", None),
        ("!10.0.0.0/8", None),
        ("10.0.0.0/8,0.0.0.0/0", None),
        ("*", None),
        ("", None),
    ] {
        assert_eq!(
            text.parse::<Cidr>().ok().map(|network| network.to_string()).as_deref(),
            shown,
            "`{text}`"
        );
    }
    let network: Cidr = "10.0.0.0/8".parse().unwrap();
    check(|request| request.source_addresses = vec![network, network], Err(RequestError::AddressCount));
}

#[test]
fn every_kind_of_key_is_certified() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    for algorithm in Algorithm::ALL {
        let keys = tempfile::tempdir().unwrap();
        let line = line_of(algorithm, keys.path());
        let key = SubjectKey::parse(&line).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert!(line.starts_with(&key.line()), "{line}");
        let request = CertificateRequest { subject_key: key, ..request(9) };
        let unsigned = request.prepare(authority.key()).unwrap();
        let certificate = unsigned.sign(&authority).unwrap();
        assert!(certificate.starts_with(algorithm.certificate_name()), "{certificate}");
        let parsed = Certificate::parse(&certificate).unwrap();
        assert_eq!(parsed.contents(), &request);
        assert_eq!((parsed.to_be_signed(), parsed.sha256()), (unsigned.to_be_signed(), unsigned.sha256()));
        assert_eq!(parsed.verify(authority.key()), Ok(()));
    }
}

#[test]
fn other_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = subject(1).line();
    let blob = STANDARD.decode(good.split(' ').nth(1).unwrap()).unwrap();
    let longer = [blob.as_slice(), &[0]].concat();
    let weak = ssh_support::public_line(&ssh_support::key_pair(folder.path(), "weak", "rsa", "1024"));
    let p384 = ssh_support::public_line(&ssh_support::key_pair(folder.path(), "p384", "ecdsa", "384"));
    for (line, words) in [
        (weak, "2048"),
        (p384, "ecdsa-sha2-nistp384"),
        (encoded_line("ssh-rsa", &blob), "the line says `ssh-rsa`"),
        (encoded_line("ssh-ed25519", &longer), "follow the last field"),
        (encoded_line("ssh-ed25519", &blob[..blob.len() - 1]), "cut short"),
        (format!("from=\"*\" {good}"), "base64"),
        (format!("{good}="), "base64"),
        (format!("{good}\n{good}"), "one public key line"),
        ("ssh-ed25519".to_owned(), "one public key line"),
        (format!(" {good}"), "one public key line"),
        (String::new(), "one public key line"),
    ] {
        let error = SubjectKey::parse(&line).unwrap_err().to_string();
        assert!(error.contains(words), "`{line}`: {error}");
    }
}

#[test]
fn a_certificate_is_signed_by_the_authority_it_names() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ours, theirs) = (authority(one.path()), authority(other.path()));
    let unsigned = request(1).prepare(ours.key()).unwrap();
    assert_eq!(unsigned.sign(&theirs), Err(CertificateError::OtherAuthority(theirs.key().fingerprint())));
    let certificate = Certificate::parse(&unsigned.sign(&ours).unwrap()).unwrap();
    let unexpected = CertificateError::UnexpectedAuthority(ours.key().fingerprint());
    assert_eq!(certificate.verify(theirs.key()), Err(unexpected));
    assert_eq!(certificate.authority(), ours.key());
}

#[test]
fn every_changed_byte_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let mut request = request(77);
    request.force_command = Some("uptime".to_owned());
    request.source_addresses = vec!["10.0.0.0/8".parse().unwrap()];
    let line = request.prepare(authority.key()).unwrap().sign(&authority).unwrap();
    let name = line.split(' ').next().unwrap();
    let blob = STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();
    for place in 0..blob.len() {
        for bit in [0x01, 0x80] {
            let mut changed = blob.clone();
            changed[place] ^= bit;
            let believed = Certificate::parse(&encoded_line(name, &changed))
                .and_then(|certificate| certificate.verify(authority.key()));
            assert!(believed.is_err(), "byte {place} ^ {bit:#x}");
        }
    }
    for length in 0..blob.len() {
        assert!(Certificate::parse(&encoded_line(name, &blob[..length])).is_err(), "cut at {length}");
    }
    assert!(Certificate::parse(&encoded_line(name, &[blob.as_slice(), b"\0"].concat())).is_err());
}

#[test]
fn foreign_forms_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = ssh_support::key_pair(folder.path(), "ca", "ed25519", "256");
    let user = ssh_support::key_pair(folder.path(), "user", "ed25519", "256");
    let (ca, user_public) = (keys.to_str().unwrap(), user.with_extension("pub"));
    let base = ["-q", "-s", ca, "-I", "id", "-z", "5"];
    for (options, words) in [
        (&["-n", "a", "-V", "+1h"][..], "permit-user-rc"),
        (&["-n", "a", "-O", "clear"], "valid from 0"),
        (&["-n", "a", "-O", "clear", "-V", "20300101000000:forever"], "valid from"),
        (&["-V", "+1h", "-O", "clear"], "1 to 64 principals"),
        (&["-h", "-n", "a", "-V", "+1h"], "type 2"),
        (&["-n", "a", "-V", "+1h", "-O", "clear", "-O", "critical:x@y=z"], "x@y"),
        (&["-n", "a", "-V", "+1h", "-O", "clear", "-O", "no-touch-required"], "no-touch-required"),
    ] {
        let arguments: Vec<&str> =
            base.iter().chain(options).copied().chain([user_public.to_str().unwrap()]).collect();
        let made = ssh_support::ssh_keygen(&arguments);
        assert!(made.status.success(), "{made:?}");
        let line = std::fs::read_to_string(folder.path().join("user-cert.pub")).unwrap();
        let error = Certificate::parse(&line).unwrap_err().to_string();
        assert!(error.contains(words), "{options:?}: {error}");
    }
}

fn any_request() -> impl Strategy<Value = CertificateRequest> {
    let network = (any::<u32>(), 0_u32..=32).prop_map(|(bits, prefix)| {
        let kept = bits & u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        format!("{}/{prefix}", std::net::Ipv4Addr::from(kept)).parse::<Cidr>().unwrap()
    });
    (
        (any::<u8>(), 1_u64.., "[ -~]{1,255}", prop::collection::btree_set("[a-z._@-]{1,20}", 1..5)),
        (1_u64..253_402_300_000, 1_u64..700, prop::collection::btree_set(network, 0..4)),
        (prop::option::of("[ -~äß€]{1,80}"), any::<[bool; 4]>(), any::<[u8; 32]>()),
    )
        .prop_map(
            |((key, serial, key_id, names), (after, length, networks), (command, permits, nonce))| {
                let [port, agent, x11, pty] = permits;
                CertificateRequest {
                    subject_key: subject(key),
                    serial,
                    key_id,
                    principals: names.into_iter().collect(),
                    valid_after: after,
                    valid_before: after + length,
                    source_addresses: networks.into_iter().collect(),
                    force_command: command,
                    permit_port_forwarding: port,
                    permit_agent_forwarding: agent,
                    permit_x11_forwarding: x11,
                    permit_pty: pty,
                    nonce,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_signed_is_what_is_read(request in any_request()) {
        let folder = tempfile::tempdir().unwrap();
        let authority = authority(folder.path());
        let line = request.prepare(authority.key()).unwrap().sign(&authority).unwrap();
        let certificate = Certificate::parse(&line).unwrap();
        prop_assert_eq!(certificate.contents(), &request);
        prop_assert_eq!(certificate.verify(authority.key()), Ok(()));
    }

    #[test]
    fn reading_never_panics(bytes: Vec<u8>) {
        let name = Algorithm::Ed25519.certificate_name();
        let mut blob = u32::try_from(name.len()).unwrap().to_be_bytes().to_vec();
        blob.extend_from_slice(name.as_bytes());
        blob.extend_from_slice(&bytes);
        prop_assert!(Certificate::parse(&encoded_line(name, &blob)).is_err());
    }
}
