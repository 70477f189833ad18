//! Signed notes and their keys, against the public examples and against everything they must refuse.
#![allow(clippy::unwrap_used, reason = "test code")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chancery_ledger::note::{KeyError, MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError, NoteSignature};
use chancery_ledger::{KeyName, KeyType, Note, SignerKey, VerifierKey};

const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";

/// From the documentation of Go's `golang.org/x/mod/sumdb/note`, private key included.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=";

fn peter() -> VerifierKey {
    PETER.parse().unwrap()
}

fn peter_signer() -> SignerKey {
    let material = STANDARD.decode(PETER_SECRET).unwrap();
    let (kind, seed) = material.split_first().unwrap();
    assert_eq!(*kind, 1);
    SignerKey::from_seed("PeterNeumann".parse().unwrap(), KeyType::Ed25519, seed.try_into().unwrap()).unwrap()
}

fn signed(text: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("{text}\n{lines}")
}

#[test]
fn the_public_example_verifies() {
    let bytes = signed(TEXT, &[PETER_LINE]);
    let note = Note::parse(bytes.as_bytes()).unwrap();
    assert_eq!(note.text(), TEXT);
    assert_eq!(note.verify(&peter()), Ok(()));
    assert_eq!(note.to_string(), bytes);
}

#[test]
fn the_public_example_is_signed_alike() {
    let mut note = Note::new(TEXT.to_owned()).unwrap();
    note.sign(&peter_signer()).unwrap();
    assert_eq!(note.to_string(), signed(TEXT, &[PETER_LINE]));
    assert_eq!(peter_signer().verifier(), &peter());
    assert!(!format!("{:?}", peter_signer()).contains("129, 10"), "a seed is never shown");
}

#[test]
fn unknown_signatures_are_carried_and_ignored() {
    let garbage = "— someone/else+not AAAAAAAA";
    assert!(Note::parse(signed(TEXT, &[PETER_LINE, garbage]).as_bytes()).is_err(), "a plus in a name");
    for lines in [[PETER_LINE, ENOCH_LINE], [ENOCH_LINE, PETER_LINE]] {
        let bytes = signed(TEXT, &lines);
        let note = Note::parse(bytes.as_bytes()).unwrap();
        assert_eq!(note.verify(&peter()), Ok(()));
        assert_eq!(note.signatures().len(), 2);
        assert_eq!(note.to_string(), bytes);
    }
    // The same name under another id, and the same id under another name, are other keys.
    let line: NoteSignature = PETER_LINE.parse().unwrap();
    let mut bytes = vec![0, 0, 0, 0];
    bytes.extend_from_slice(line.bytes());
    let other_id = format!("— PeterNeumann {}", STANDARD.encode(bytes));
    let other_name = PETER_LINE.replace("PeterNeumann", "peterneumann");
    let note = Note::parse(signed(TEXT, &[&other_id, &other_name]).as_bytes()).unwrap();
    assert_eq!(note.verify(&peter()), Err(NoteError::Unsigned { name: peter().name().clone() }));
}

#[test]
fn wrong_signatures_are_refused() {
    let name = peter().name().clone();
    let check = |bytes: String, expected: NoteError| {
        assert_eq!(Note::parse(bytes.as_bytes()).unwrap().verify(&peter()), Err(expected), "{bytes}");
    };
    let bad = NoteError::BadSignature { name: name.clone() };
    check(signed(&TEXT.replace("answer", "Answer"), &[PETER_LINE]), bad.clone());
    check(signed(&format!("{TEXT}\n"), &[PETER_LINE]), bad.clone());
    check(signed(TEXT, &[&PETER_LINE.replace("ZJkuBS", "ZJkuBT")]), bad.clone());
    let short: NoteSignature = PETER_LINE.parse().unwrap();
    let mut bytes = short.id().as_bytes().to_vec();
    bytes.extend_from_slice(&short.bytes()[..63]);
    check(signed(TEXT, &[&format!("— PeterNeumann {}", STANDARD.encode(bytes))]), bad);
    check(signed(TEXT, &[ENOCH_LINE]), NoteError::Unsigned { name: name.clone() });
    check(signed(TEXT, &[PETER_LINE, PETER_LINE]), NoteError::SignedTwice { name: name.clone() });
    let witness = VerifierKey::new(name.clone(), KeyType::Cosignature, *peter().public_key());
    let note = Note::parse(signed(TEXT, &[PETER_LINE]).as_bytes()).unwrap();
    assert!(matches!(note.verify(&witness), Err(NoteError::WrongKeyType { .. })));
}

#[test]
fn texts_with_empty_lines() {
    for text in ["\n", "a\n\nb\n", "a\n\n— PeterNeumann AAAAAAA=\n", "\n\n\n"] {
        let mut note = Note::new(text.to_owned()).unwrap();
        note.sign(&peter_signer()).unwrap();
        let bytes = note.to_string();
        let parsed = Note::parse(bytes.as_bytes()).unwrap();
        assert_eq!(parsed, note, "{text:?}");
        assert_eq!(parsed.verify(&peter()), Ok(()));
    }
}

#[test]
fn malformed_notes_are_refused() {
    let whole = signed(TEXT, &[PETER_LINE]);
    let check = |bytes: &[u8], expected: NoteError| {
        assert_eq!(Note::parse(bytes), Err(expected), "{}", String::from_utf8_lossy(bytes));
    };
    check(b"", NoteError::NoSignatures);
    check(TEXT.as_bytes(), NoteError::NoSignatures);
    check(whole.trim_end().as_bytes(), NoteError::FinalNewline);
    check(format!("{TEXT}\n").as_bytes(), NoteError::FinalNewline);
    check(format!("{whole}\n").as_bytes(), NoteError::FinalNewline);
    check(&[whole.as_bytes(), b"\xff\n"].concat(), NoteError::Characters);
    for control in ['\0', '\t', '\r', '\x1b'] {
        check(whole.replace("think", &format!("think{control}")).as_bytes(), NoteError::Characters);
    }
    for line in [
        "",
        "-",
        "PeterNeumann",
        "—PeterNeumann AAAAAAA=",
        "- PeterNeumann AAAAAAA=",
        "–  PeterNeumann AAAAAAA=",
        "— PeterNeumann",
        "— PeterNeumann ",
        "— PeterNeumann AAAA",
        "— PeterNeumann AAAAAA==",
        "— PeterNeumann AAAAAAA",
        "— PeterNeumann AAAAAAB=",
        "— PeterNeumann  AAAAAAA=",
        "— PeterNeumann AAAAAAA= ",
        "— PeterNeumann AAAA_AA=",
        " — PeterNeumann AAAAAAA=",
    ] {
        let bytes = format!("{TEXT}\n{PETER_LINE}\n{line}\n");
        assert!(Note::parse(bytes.as_bytes()).is_err(), "{line:?}");
    }
    assert!(matches!("—  AAAAAAA=".parse::<NoteSignature>(), Err(NoteError::Key(KeyError::Name { .. }))));
    let length = MAX_NOTE_BYTES + 1;
    check(&vec![b'a'; length], NoteError::TooLong { length });
    let many: Vec<&str> = vec![ENOCH_LINE; MAX_SIGNATURES];
    assert!(Note::parse(signed(TEXT, &many).as_bytes()).is_ok());
    check(signed(TEXT, &[many.as_slice(), &[ENOCH_LINE]].concat()).as_bytes(), NoteError::TooManySignatures);
    for text in ["", "no newline", "tab\t\n", "return\r\n"] {
        assert!(Note::new(text.to_owned()).is_err(), "{text:?}");
    }
}

#[test]
fn keys_read_and_write() {
    // The second is a public witness's key, as transparency-dev's own tests have it.
    for (text, name, key_type) in [
        (PETER, "PeterNeumann", KeyType::Ed25519),
        (
            "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
            "remora.n621.de",
            KeyType::Cosignature,
        ),
        ("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6", "TEST", KeyType::Ed25519),
    ] {
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        assert_eq!((key.name().as_str(), key.key_type()), (name, key_type));
        assert!(key.key_hash().to_string().starts_with(&key.key_id().to_string()));
        assert_eq!(serde_json::from_str::<VerifierKey>(&format!("\"{text}\"")).unwrap(), key);
    }
}

#[test]
fn malformed_keys_are_refused() {
    for text in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy1w==",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
    ] {
        assert!(text.parse::<VerifierKey>().is_err(), "{text}");
    }
    let long = "a".repeat(256);
    for name in ["", " ", "a b", "a+b", "a\u{a0}b", "a\u{2003}b", "a\nb", "a\u{7f}b", &long] {
        assert!(name.parse::<KeyName>().is_err(), "{name:?}");
    }
    for name in ["a", "witness.example/w1", "é", &long[1..]] {
        assert!(name.parse::<KeyName>().is_ok(), "{name:?}");
    }
}
