//! Sigstore bundles: the exact shape, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_standard;
use chancery_evidence::dsse::{Envelope, Statement};
use chancery_evidence::public_key::P256PublicKey;
use chancery_evidence::sigstore::{Bundle, LogInclusion, LogKey, SigstoreError, TrustedRoot, log_entry};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

fn attestation() -> (Envelope, P256PublicKey) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let predicate = serde_json::Map::new();
    let statement =
        Statement::new("request/1", Sha256::of(b"r"), "urn:chancery:attestation:grant:v1", predicate);
    (Envelope::sign(&statement, &key, &random).unwrap(), P256PublicKey::of(&key).unwrap())
}

fn log() -> LogKey {
    LogKey {
        origin: "log.example.org".into(),
        public_key: [9; 32],
        valid_from: "2026-01-01T00:00:00Z".into(),
    }
}

fn inclusion() -> LogInclusion {
    LogInclusion {
        log_key_id: log().key_id(),
        log_index: 5,
        tree_size: 7,
        root_hash: Sha256::of(b"root"),
        hashes: vec![Sha256::of(b"left"), Sha256::of(b"right")],
        checkpoint: "log.example.org\n7\n…\n".into(),
    }
}

#[test]
fn the_shape_of_a_bundle() {
    let (envelope, key) = attestation();
    let bundle = Bundle::new(envelope.clone(), &key, inclusion()).unwrap();
    let base64 = |digest: Sha256| encode_standard(digest.as_bytes());
    let expected = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "publicKey": {"hint": base64(key.key_digest())},
            "tlogEntries": [{
                "logIndex": "5",
                "logId": {"keyId": base64(log().key_id())},
                "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
                "inclusionProof": {
                    "logIndex": "5",
                    "rootHash": base64(Sha256::of(b"root")),
                    "treeSize": "7",
                    "hashes": [base64(Sha256::of(b"left")), base64(Sha256::of(b"right"))],
                    "checkpoint": {"envelope": "log.example.org\n7\n…\n"},
                },
                "canonicalizedBody": encode_standard(log_entry(&envelope, &key).unwrap().as_bytes()),
            }],
        },
        "dsseEnvelope": serde_json::to_value(&envelope).unwrap(),
    });
    let text = bundle.to_json().unwrap();
    assert_eq!(text.value(), expected);
    let read = Bundle::parse(text.as_bytes()).unwrap();
    assert_eq!(read, bundle);
    assert_eq!(read.inclusion().unwrap(), inclusion());
    assert_eq!(read.check_entry(&key), Ok(()));
    assert_eq!(read.envelope(), &envelope);
    assert_eq!(read.leaf(), log_entry(&envelope, &key).unwrap().as_bytes());
}

#[test]
fn the_shape_of_a_log_entry() {
    let (envelope, key) = attestation();
    let digest = encode_standard(Sha256::of(&envelope.signed_bytes()).as_bytes());
    let expected = format!(
        concat!(
            r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"data":"#,
            r#"{{"algorithm":"SHA2_256","digest":"{}"}},"signature":{{"content":"{}","verifier":"#,
            r#"{{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{{"rawBytes":"{}"}}}}}}}}}}}}"#,
        ),
        digest,
        encode_standard(envelope.signature()),
        encode_standard(&key.to_spki()),
    );
    assert_eq!(log_entry(&envelope, &key).unwrap().as_str(), expected);
    assert!(expected.len() < 4096);
}

#[test]
fn the_shape_of_a_trusted_root() {
    let prefix = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    let spki = [prefix.as_slice(), &[9; 32]].concat();
    let key_id = Sha256::of(&[b"log.example.org\n\x01".as_slice(), &[9; 32]].concat());
    let expected = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [{
            "baseUrl": "https://log.example.org",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": encode_standard(&spki),
                "keyDetails": "PKIX_ED25519",
                "validFor": {"start": "2026-01-01T00:00:00Z"},
            },
            "logId": {"keyId": encode_standard(key_id.as_bytes())},
        }],
        "certificateAuthorities": [],
        "ctlogs": [],
        "timestampAuthorities": [],
    });
    assert_eq!(TrustedRoot::new(&[log()]).to_json().unwrap().value(), expected);
}

#[test]
fn changed_bundles() {
    let (envelope, key) = attestation();
    let good = Bundle::new(envelope, &key, inclusion()).unwrap().to_json().unwrap().value();
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let entry = "/verificationMaterial/tlogEntries/0";
    let at = |rest: &str| format!("{entry}{rest}");
    let one_entry = good.pointer(entry).unwrap().clone();
    let mut unknown = good.clone();
    unknown["more"] = json!(1);
    let mut timed = good.clone();
    timed["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = json!("0");
    let malformed = [
        unknown,
        timed,
        with("/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.2+json")),
        with("/verificationMaterial/tlogEntries", json!([])),
        with("/verificationMaterial/tlogEntries", json!([one_entry, one_entry])),
        with(&at("/kindVersion/version"), json!("0.0.1")),
        with(&at("/kindVersion/kind"), json!("dsse")),
        with(&at("/logIndex"), json!(5)),
        with(&at("/logIndex"), json!("05")),
        with(&at("/logIndex"), json!("+5")),
        with(&at("/logIndex"), json!("-5")),
        with(&at("/inclusionProof/treeSize"), json!("9223372036854775808")),
        with(&at("/inclusionProof/rootHash"), json!("AAAA")),
        with(&at("/inclusionProof/hashes/0"), json!("Zg")),
        with(&at("/inclusionProof/hashes"), json!(vec![encode_standard(&[0; 32]); 65])),
    ];
    for wrong in malformed {
        let outcome = Bundle::parse(wrong.to_string().as_bytes());
        assert!(matches!(outcome, Err(SigstoreError::Malformed(_))), "{wrong}: {outcome:?}");
    }
    for (pointer, value) in
        [("/logIndex", "4"), ("/inclusionProof/logIndex", "6"), ("/inclusionProof/treeSize", "5")]
    {
        let outcome = Bundle::parse(with(&at(pointer), json!(value)).to_string().as_bytes());
        assert!(matches!(outcome, Err(SigstoreError::InconsistentIndex { .. })), "{pointer}");
    }
}

#[test]
fn an_entry_of_another_attestation() {
    let (envelope, key) = attestation();
    let (other_envelope, other_key) = attestation();
    let good = Bundle::new(envelope.clone(), &key, inclusion()).unwrap();
    assert_eq!(good.check_entry(&other_key), Err(SigstoreError::WrongKey));
    assert_eq!(Bundle::new(envelope, &other_key, inclusion()), Err(SigstoreError::WrongKey));
    let mut swapped = good.to_json().unwrap().value();
    let body = encode_standard(log_entry(&other_envelope, &other_key).unwrap().as_bytes());
    swapped["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"] = json!(body);
    let swapped = Bundle::parse(swapped.to_string().as_bytes()).unwrap();
    assert_eq!(swapped.check_entry(&key), Err(SigstoreError::EntryMismatch));
}
