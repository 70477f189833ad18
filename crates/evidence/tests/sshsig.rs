//! SSH keys and signatures against the real `ssh-keygen`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_standard, encode_standard};
use chancery_evidence::ssh_key::{SshKeyError, SshPublicKey};
use chancery_evidence::sshsig::{REQUEST_NAMESPACE, SshSignature, SshSignatureError, sign_ed25519};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

const MESSAGE: &[u8] = b"chancery request v1\n{}";

fn ssh_keygen(arguments: &[&str], folder: &Path) -> Output {
    Command::new("ssh-keygen").args(arguments).current_dir(folder).output().unwrap()
}

fn make_key(folder: &Path, name: &str, arguments: &[&str]) -> (PathBuf, String) {
    let output = ssh_keygen(&[&["-q", "-N", "", "-C", "a comment", "-f", name], arguments].concat(), folder);
    assert!(output.status.success(), "{output:?}");
    let line = fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap();
    (folder.join(name), line)
}

fn sign(key: &Path, folder: &Path, more: &[&str]) -> String {
    let message = folder.join("message");
    fs::write(&message, MESSAGE).unwrap();
    let _ = fs::remove_file(folder.join("message.sig"));
    let key = key.to_str().unwrap();
    let output = ssh_keygen(
        &[&["-Y", "sign", "-f", key, "-n", REQUEST_NAMESPACE], more, &["message"]].concat(),
        folder,
    );
    assert!(output.status.success(), "{output:?}");
    fs::read_to_string(folder.join("message.sig")).unwrap()
}

#[test]
fn signatures_of_ssh_keygen_verify() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (_, other) = make_key(folder, "other", &["-t", "ed25519"]);
    let other = SshPublicKey::parse(&other).unwrap();
    for (name, arguments) in [
        ("ed25519", ["-t", "ed25519", "-b", "256"]),
        ("p256", ["-t", "ecdsa", "-b", "256"]),
        ("rsa2048", ["-t", "rsa", "-b", "2048"]),
        ("rsa3072", ["-t", "rsa", "-b", "3072"]),
    ] {
        let (path, line) = make_key(folder, name, &arguments);
        let key = SshPublicKey::parse(&line).unwrap();
        assert_eq!(format!("{key} a comment\n"), line);
        let listed = ssh_keygen(&["-l", "-f", &format!("{name}.pub")], folder).stdout;
        assert!(String::from_utf8(listed).unwrap().contains(&key.fingerprint()));

        for more in [&[][..], &["-O", "hashalg=sha256"], &["-O", "hashalg=sha512"]] {
            let armored = sign(&path, folder, more);
            let signature = SshSignature::parse(&armored).unwrap();
            assert_eq!(signature.to_armored(), armored);
            assert_eq!(signature.verify(&key, REQUEST_NAMESPACE, MESSAGE), Ok(()), "{name} {more:?}");
            let changed = signature.verify(&key, REQUEST_NAMESPACE, b"another message");
            assert_eq!(changed, Err(SshSignatureError::BadSignature));
            let wrong_namespace = SshSignatureError::WrongNamespace(REQUEST_NAMESPACE.into());
            assert_eq!(signature.verify(&key, "file", MESSAGE), Err(wrong_namespace));
            assert_eq!(
                signature.verify(&other, REQUEST_NAMESPACE, MESSAGE),
                Err(SshSignatureError::WrongKey)
            );
        }
    }
}

#[test]
fn ssh_keygen_verifies_ours() {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let key = SshPublicKey::ed25519(pair.public_key().as_ref().try_into().unwrap()).unwrap();
    let signature = sign_ed25519(&pair, REQUEST_NAMESPACE, MESSAGE).unwrap();
    assert_eq!(signature.verify(&key, REQUEST_NAMESPACE, MESSAGE), Ok(()));
    assert_eq!(SshSignature::parse(&signature.to_armored()).unwrap(), signature);
    let sent = serde_json::to_string(&signature).unwrap();
    assert_eq!(serde_json::from_str::<SshSignature>(&sent).unwrap(), signature);

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("allowed", &format!("ada@example.org {key}\n"));
    write("signature", &signature.to_armored());
    for (message, expected) in [(MESSAGE, true), (b"another".as_slice(), false)] {
        fs::write(folder.path().join("message"), message).unwrap();
        let output = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-f", "allowed", "-I", "ada@example.org", "-n", REQUEST_NAMESPACE])
            .args(["-s", "signature"])
            .current_dir(folder.path())
            .stdin(fs::File::open(folder.path().join("message")).unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.success(), expected, "{output:?}");
    }
}

/// The example printed in PROTOCOL.sshsig.
const PUBLISHED: &str = "-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJKxoLBJBivUPNTUJUSslQTt2hD
jozKvHarKeN8uYFqgAAAADZm9vAAAAAAAAAFMAAAALc3NoLWVkMjU1MTkAAABAKNC4IEbt
Tq0Fb56xhtuE1/lK9H9RZJfON4o6hE9R4ZGFX98gy0+fFJ/1d2/RxnZky0Y7GojwrZkrHT
FgCqVWAQ==
-----END SSH SIGNATURE-----
";

fn string(content: &[u8]) -> Vec<u8> {
    [u32::try_from(content.len()).unwrap().to_be_bytes().as_slice(), content].concat()
}

fn blob_of(fields: &[&[u8]]) -> Vec<u8> {
    fields.iter().flat_map(|field| string(field)).collect()
}

#[test]
fn wrong_signatures() {
    // The printed example is older than the format's hash field, so it ends too early.
    assert_eq!(SshSignature::parse(PUBLISHED), Err(SshSignatureError::Malformed));
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let good = sign_ed25519(&pair, "foo", MESSAGE).unwrap();
    let armored = good.to_armored();
    assert_eq!(SshSignature::parse(&armored.replace('\n', "\r\n")).unwrap(), good);
    assert_eq!(SshSignature::parse(armored.trim_end()).unwrap(), good);
    for wrong in [
        String::new(),
        format!("\n{armored}"),
        format!("{armored}\n"),
        format!("{armored}x"),
        format!("{armored}{armored}"),
        armored.replace("SSH SIGNATURE", "PGP SIGNATURE"),
        armored.replacen("U1NI", " U1N", 1),
        armored.replace('=', ""),
        format!("{}{}", armored, "A".repeat(10_000)),
    ] {
        assert_eq!(SshSignature::parse(&wrong), Err(SshSignatureError::Malformed), "{wrong}");
    }

    let key = good.public_key().blob();
    let inner = blob_of(&[b"ssh-ed25519", &[0; 64]]);
    let frame = |version: u8, fields: &[&[u8]]| {
        [b"SSHSIG".as_slice(), &[0, 0, 0, version], &blob_of(fields)].concat()
    };
    let fields: [&[u8]; 5] = [key, b"foo", b"", b"sha512", &inner];
    let zeros = SshSignature::from_blob(&frame(1, &fields)).unwrap();
    assert_eq!(zeros.verify(good.public_key(), "foo", MESSAGE), Err(SshSignatureError::BadSignature));
    let with = |position: usize, field: &[u8]| {
        let mut changed = fields.map(<[u8]>::to_vec);
        changed[position] = field.to_vec();
        frame(1, &changed.each_ref().map(Vec::as_slice))
    };
    let cases = [
        (frame(2, &fields), SshSignatureError::UnsupportedVersion),
        (with(0, b"x"), SshSignatureError::Key(SshKeyError::Damaged)),
        (with(1, b""), SshSignatureError::Malformed),
        (with(1, b"\xff"), SshSignatureError::Malformed),
        (with(2, b"x"), SshSignatureError::UnsupportedVersion),
        (with(3, b"sha1"), SshSignatureError::UnsupportedAlgorithm),
        ([frame(1, &fields), vec![0]].concat(), SshSignatureError::Malformed),
        (frame(1, &fields[..4]), SshSignatureError::Malformed),
        (b"SSHSIX".to_vec(), SshSignatureError::Malformed),
    ];
    for (blob, expected) in cases {
        assert_eq!(SshSignature::from_blob(&blob), Err(expected), "{blob:02x?}");
    }
    // An algorithm of another key type, and bytes after the signature.
    let verify = |inner: &[u8]| {
        SshSignature::from_blob(&with(4, inner))
            .unwrap()
            .verify(good.public_key(), "foo", MESSAGE)
            .unwrap_err()
    };
    assert_eq!(verify(&blob_of(&[b"rsa-sha2-512", &[0; 64]])), SshSignatureError::UnsupportedAlgorithm);
    assert_eq!(verify(&blob_of(&[b"ssh-ed25519", &[0; 64], b""])), SshSignatureError::Malformed);
    assert_eq!(verify(&blob_of(&[b"ssh-ed25519"])), SshSignatureError::Malformed);
}

/// A security key in software: signs as PROTOCOL.u2f says.
#[test]
fn security_keys() {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let key_type = b"sk-ssh-ed25519@openssh.com".as_slice();
    let blob = blob_of(&[key_type, pair.public_key().as_ref(), b"ssh:"]);
    let key = SshPublicKey::from_blob(&blob).unwrap();
    let signed = |flags: u8| {
        let hashed =
            [b"SSHSIG".as_slice(), &blob_of(&[b"foo", b"", b"sha256", Sha256::of(MESSAGE).as_ref()])]
                .concat();
        let state = [&[flags], 7u32.to_be_bytes().as_slice()].concat();
        let message = [Sha256::of(b"ssh:").as_ref(), &state, Sha256::of(&hashed).as_ref()].concat();
        let inner = [blob_of(&[key_type, pair.sign(&message).as_ref()]), state].concat();
        let fields = blob_of(&[&blob, b"foo", b"", b"sha256", &inner]);
        SshSignature::from_blob(&[b"SSHSIG\0\0\0\x01".as_slice(), &fields].concat()).unwrap()
    };
    assert_eq!(signed(1).verify(&key, "foo", MESSAGE), Ok(()));
    assert_eq!(signed(5).verify(&key, "foo", MESSAGE), Ok(()));
    assert_eq!(signed(0).verify(&key, "foo", MESSAGE), Err(SshSignatureError::UserNotPresent));
    assert_eq!(signed(1).verify(&key, "foo", b"another"), Err(SshSignatureError::BadSignature));
    assert_eq!(SshSignature::parse(&signed(1).to_armored()).unwrap(), signed(1));
}

#[test]
fn wrong_public_keys() {
    let line = |key_type: &str, blob: &[u8]| format!("{key_type} {}", encode_standard(blob));
    let ed25519 = blob_of(&[b"ssh-ed25519", &[7; 32]]);
    let good = line("ssh-ed25519", &ed25519);
    let encoded = good.split_once(' ').unwrap().1;
    assert_eq!(SshPublicKey::parse(&good).unwrap().to_string(), good);
    assert_eq!(SshPublicKey::parse(&format!("{good} some comment\r\n")).unwrap().to_string(), good);
    let rsa = |exponent: &[u8], modulus: &[u8]| line("ssh-rsa", &blob_of(&[b"ssh-rsa", exponent, modulus]));
    let modulus = |bytes: usize| [vec![0], vec![0xff; bytes]].concat();
    assert!(SshPublicKey::parse(&rsa(&[1, 0, 1], &modulus(256))).is_ok());
    let p256 = |curve: &[u8], point: &[u8]| {
        line("ecdsa-sha2-nistp256", &blob_of(&[b"ecdsa-sha2-nistp256", curve, point]))
    };
    let certificate = "ssh-ed25519-cert-v01@openssh.com";
    let cases = [
        (String::new(), SshKeyError::MalformedLine),
        ("ssh-ed25519".into(), SshKeyError::MalformedLine),
        (format!("{good}\n{good}"), SshKeyError::MalformedLine),
        (format!("{good} comment\u{0}"), SshKeyError::MalformedLine),
        (format!("{good} {}", "x".repeat(4096)), SshKeyError::MalformedLine),
        (format!("no-pty {good}"), SshKeyError::UnsupportedType("no-pty".into())),
        (format!(" {good}"), SshKeyError::UnsupportedType(String::new())),
        (format!("ssh-dss {encoded}"), SshKeyError::UnsupportedType("ssh-dss".into())),
        (format!("{certificate} {encoded}"), SshKeyError::Certificate(certificate.into())),
        (format!("ssh-rsa {encoded}"), SshKeyError::Damaged),
        (format!("ssh-ed25519  {encoded}"), SshKeyError::Damaged),
        (good.trim_end_matches('=').to_owned() + "*", SshKeyError::Damaged),
        (line("ssh-ed25519", &[ed25519.as_slice(), &[0]].concat()), SshKeyError::Damaged),
        (line("ssh-ed25519", &blob_of(&[b"ssh-ed25519", &[7; 31]])), SshKeyError::Damaged),
        (line("ssh-ed25519", &blob_of(&[b"ssh-ed25519", &[0; 32]])), SshKeyError::Weak),
        (p256(b"nistp384", &[4; 65]), SshKeyError::Damaged),
        (p256(b"nistp256", &[2; 33]), SshKeyError::Damaged),
        (p256(b"nistp256", &[6; 65]), SshKeyError::Damaged),
        (rsa(&[1, 0, 1], &modulus(128)), SshKeyError::Weak),
        (rsa(&[1, 0, 1], &vec![0x7f; 256]), SshKeyError::Weak),
        (rsa(&[1, 0, 1], &modulus(1025)), SshKeyError::Weak),
        (rsa(&[3], &modulus(256)), SshKeyError::Weak),
        (rsa(&[0, 1, 0, 1], &modulus(256)), SshKeyError::Damaged),
        (rsa(&[1, 0, 1], &[vec![0], modulus(256)].concat()), SshKeyError::Damaged),
        (rsa(&[1, 0, 1], &vec![0xff; 256]), SshKeyError::Damaged),
        (rsa(&[], &modulus(256)), SshKeyError::Damaged),
    ];
    for (line, expected) in cases {
        assert_eq!(SshPublicKey::parse(&line), Err(expected), "{line:.80}");
    }
    assert!(decode_standard(encoded).is_ok());
}
