//! Envelopes: what is signed, what is refused, and what `openssl` says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::Command;

use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_standard;
use chancery_evidence::dsse::{DsseError, Envelope, PAYLOAD_TYPE, Statement, pre_authentication_encoding};
use chancery_evidence::public_key::P256PublicKey;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use serde_json::{Value, json};

fn key(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap()
}

fn statement() -> Statement {
    let predicate = json!({"decision": "approve"}).as_object().unwrap().clone();
    Statement::new("request/01J", Sha256::of(b"request"), "urn:chancery:attestation:decision:v1", predicate)
}

fn signed() -> (Envelope, P256PublicKey) {
    let key = key(&ECDSA_P256_SHA256_ASN1_SIGNING);
    (Envelope::sign(&statement(), &key, &SystemRandom::new()).unwrap(), P256PublicKey::of(&key).unwrap())
}

/// Parses, checks with the key, and returns what was refused.
#[track_caller]
fn refusal(envelope: &Value, key: &P256PublicKey) -> DsseError {
    let text = envelope.to_string();
    Envelope::parse(text.as_bytes()).and_then(|envelope| envelope.verify(key)).unwrap_err()
}

#[test]
fn the_encoding_is_the_published_one() {
    // DSSE protocol, section "Signature Definition" and its test vector
    assert_eq!(
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
    assert_eq!(pre_authentication_encoding("", b""), b"DSSEv1 0  0 ");
}

#[test]
fn a_signed_statement_comes_back() {
    let (envelope, key) = signed();
    assert_eq!(envelope.verify(&key).unwrap(), statement());
    let sent = serde_json::to_string(&envelope).unwrap();
    assert_eq!(Envelope::parse(sent.as_bytes()).unwrap(), envelope);
    assert_eq!(
        envelope.signed_digest(),
        Sha256::of(&pre_authentication_encoding(PAYLOAD_TYPE, envelope.payload()))
    );
    assert_eq!(
        serde_json::from_str::<Value>(&sent).unwrap()["signatures"][0]["keyid"],
        key.key_digest().to_hex()
    );
}

#[test]
fn openssl_agrees() {
    let (envelope, key) = signed();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let public_key = write("key.pem", key.to_pem().as_bytes());
    let signature = write("signature", envelope.signature());
    for (message, expected) in [(envelope.signed_bytes(), true), (envelope.payload().to_vec(), false)] {
        let message = write("message", &message);
        let output = Command::new("openssl")
            .args(["dgst", "-sha256", "-verify"])
            .arg(&public_key)
            .arg("-signature")
            .arg(&signature)
            .arg(message)
            .output()
            .unwrap();
        assert_eq!(output.status.success(), expected, "{output:?}");
    }
}

#[test]
fn keys_that_cannot_sign() {
    for algorithm in [&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING] {
        let outcome = Envelope::sign(&statement(), &key(algorithm), &SystemRandom::new());
        assert_eq!(outcome, Err(DsseError::CannotSign));
    }
}

#[test]
fn changed_envelopes() {
    let (envelope, key) = signed();
    let good = serde_json::to_value(&envelope).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let payload = String::from_utf8(envelope.payload().to_vec()).unwrap();
    let changed_payload = encode_standard(payload.replace("approve", "reject").as_bytes());
    assert_eq!(refusal(&with("/payload", json!(changed_payload)), &key), DsseError::BadSignature);
    let spaced_payload = encode_standard(format!("{payload}\n").as_bytes());
    assert_eq!(refusal(&with("/payload", json!(spaced_payload)), &key), DsseError::BadSignature);
    assert_eq!(refusal(&with("/signatures/0/sig", json!("AAAA")), &key), DsseError::BadSignature);
    assert_eq!(refusal(&with("/signatures/0/sig", json!("A".repeat(100))), &key), DsseError::BadSignature);
    let (_, other) = signed();
    assert_eq!(refusal(&good, &other), DsseError::WrongKey(key.key_digest()));
    let renamed = with("/signatures/0/keyid", json!(other.key_digest()));
    assert_eq!(refusal(&renamed, &other), DsseError::BadSignature);
    let wrong_type = with("/payloadType", json!("text/plain"));
    assert_eq!(refusal(&wrong_type, &key), DsseError::WrongPayloadType("text/plain".into()));
    assert_eq!(refusal(&with("/signatures", json!([])), &key), DsseError::SignatureCount(0));
    let signature = good["signatures"][0].clone();
    let twice = with("/signatures", json!([signature, signature]));
    assert_eq!(refusal(&twice, &key), DsseError::SignatureCount(2));
}

#[test]
fn loose_envelopes() {
    let (envelope, key) = signed();
    let good = serde_json::to_value(&envelope).unwrap();
    let mut unknown = good.clone();
    unknown["more"] = json!(1);
    let mut unpadded = good.clone();
    unpadded["payload"] = json!("Zg");
    let mut upper = good.clone();
    upper["signatures"][0]["keyid"] = json!(key.key_digest().to_hex().to_uppercase());
    let mut unnamed = good.clone();
    unnamed["signatures"][0].as_object_mut().unwrap().remove("keyid");
    for wrong in [unknown, unpadded, upper, unnamed, json!([]), json!({"payload": ""})] {
        assert!(matches!(refusal(&wrong, &key), DsseError::MalformedEnvelope(_)), "{wrong}");
    }
    let text = good.to_string().replacen('{', "{\"payload\":\"\",", 1);
    assert!(matches!(Envelope::parse(text.as_bytes()), Err(DsseError::MalformedEnvelope(_))));
}

#[test]
fn malformed_statements() {
    let good = serde_json::to_value(statement()).unwrap();
    assert_eq!(Statement::parse(good.to_string().as_bytes()).unwrap(), statement());
    let digest = Sha256::of(b"").to_hex();
    let changes: [(&str, Value); 8] = [
        ("_type", json!("https://in-toto.io/Statement/v0.1")),
        ("subject", json!([])),
        ("subject", json!([{"name": "a", "digest": {}}])),
        ("subject", json!([{"name": "a", "digest": {"sha256": digest, "sha512": ""}}])),
        ("subject", json!([{"name": "a", "digest": {"sha256": digest}, "uri": ""}])),
        ("predicate", json!([])),
        ("predicateType", json!(null)),
        ("more", json!(1)),
    ];
    for (member, value) in changes {
        let mut changed = good.clone();
        changed[member] = value;
        let outcome = Statement::parse(changed.to_string().as_bytes());
        assert!(matches!(outcome, Err(DsseError::MalformedStatement(_))), "{changed}: {outcome:?}");
    }
    assert!(matches!(Statement::parse(b"{\"a\":1.5}"), Err(DsseError::PayloadJson(_))));
}
