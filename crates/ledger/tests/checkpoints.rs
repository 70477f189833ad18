//! Checkpoints, cosignatures and the policy that demands them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "test code")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chancery_ledger::checkpoint::CheckpointError;
use chancery_ledger::cosignature::{self, CosignatureError, MAX_TIME_SECONDS};
use chancery_ledger::note::{NoteError, NoteSignature};
use chancery_ledger::tree::EMPTY_ROOT;
use chancery_ledger::witness_policy::{AcceptError, LineError, PolicyError, Quorum};
use chancery_ledger::{
    Checkpoint, KeyType, Note, Origin, Root, SignedCheckpoint, SignerKey, WitnessPolicy, leaf_hash,
};
use ring::signature::{ED25519, UnparsedPublicKey};

const ORIGIN: &str = "log.example.com";

fn signer(name: &str, key_type: KeyType, seed: u8) -> SignerKey {
    SignerKey::from_seed(name.parse().unwrap(), key_type, &[seed; 32]).unwrap()
}

fn log() -> SignerKey {
    signer(ORIGIN, KeyType::Ed25519, 1)
}

fn witness(number: u8) -> SignerKey {
    signer(&format!("witness.example/{number}"), KeyType::Cosignature, 10 + number)
}

fn checkpoint() -> Checkpoint {
    Checkpoint::new(ORIGIN.parse().unwrap(), Root::new(7, leaf_hash(b"a root")).unwrap())
}

fn signed() -> SignedCheckpoint {
    checkpoint().sign(&log()).unwrap()
}

/// The checkpoint with the cosignatures of these witnesses, witness `n` at second `1000 + n`.
fn cosigned(witnesses: &[u8]) -> SignedCheckpoint {
    let mut signed = signed();
    for number in witnesses {
        let line =
            cosignature::cosign(signed.checkpoint(), &witness(*number), 1000 + u64::from(*number)).unwrap();
        signed.add_signature(line).unwrap();
    }
    signed
}

#[test]
fn a_checkpoint_opens_with_its_logs_key_only() {
    let bytes = signed().note().to_string();
    let opened = Checkpoint::open(bytes.as_bytes(), log().verifier()).unwrap();
    assert_eq!(opened, signed());
    assert_eq!(opened.note().to_string(), bytes);
    let text = format!("{ORIGIN}\n7\n{}\n", leaf_hash(b"a root").to_base64());
    assert_eq!(opened.checkpoint().text(), text);
    let other = signer(ORIGIN, KeyType::Ed25519, 2);
    assert!(Checkpoint::open(bytes.as_bytes(), other.verifier()).is_err());
    for (from, to) in [("\n7\n", "\n8\n"), (ORIGIN, "log.example.org"), ("\n7\n", "\n07\n")] {
        assert!(Checkpoint::open(bytes.replacen(from, to, 1).as_bytes(), log().verifier()).is_err(), "{to}");
    }
}

#[test]
fn tlog_tiles_reads_the_same_checkpoint() {
    let theirs = tlog_tiles::Checkpoint::from_bytes(checkpoint().text().as_bytes()).unwrap();
    assert_eq!((theirs.origin(), theirs.size()), (ORIGIN, 7));
    assert_eq!(theirs.hash().0, *checkpoint().root().hash().as_bytes());
}

#[test]
fn a_log_signs_as_itself_only() {
    let other = signer("log.example.org", KeyType::Ed25519, 1);
    assert!(matches!(checkpoint().sign(&other), Err(CheckpointError::OtherLog { .. })));
    let as_witness = signer(ORIGIN, KeyType::Cosignature, 1);
    assert!(matches!(
        checkpoint().sign(&as_witness),
        Err(CheckpointError::Note(NoteError::WrongKeyType { .. }))
    ));
    // A key of another name whose signature is right must not open this log's checkpoint either.
    let mut note = Note::new(checkpoint().text()).unwrap();
    note.sign(&other).unwrap();
    let opened = Checkpoint::open(note.to_string().as_bytes(), other.verifier());
    assert!(matches!(opened, Err(CheckpointError::OtherLog { .. })));
}

#[test]
fn malformed_checkpoints_are_refused_though_signed() {
    let root = EMPTY_ROOT.to_base64();
    for text in [
        format!("{ORIGIN}\n7\n{root}\nextension\n"),
        format!("{ORIGIN}\n7\n"),
        format!("{ORIGIN}\n\n7\n{root}\n"),
        format!("\n7\n{root}\n"),
        format!("{ORIGIN}\n07\n{root}\n"),
        format!("{ORIGIN}\n+7\n{root}\n"),
        format!("{ORIGIN}\n-7\n{root}\n"),
        format!("{ORIGIN}\n 7\n{root}\n"),
        format!("{ORIGIN}\n\n{root}\n"),
        format!("{ORIGIN}\n9223372036854775809\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n7\n{root} \n"),
        format!("{ORIGIN}\n7\n{}\n", &root[..43]),
        format!("{ORIGIN}\n0\n{}\n", leaf_hash(b"").to_base64()),
    ] {
        let mut note = Note::new(text.clone()).unwrap();
        note.sign(&log()).unwrap();
        assert!(Checkpoint::open(note.to_string().as_bytes(), log().verifier()).is_err(), "{text}");
    }
    let empty = Checkpoint::new(ORIGIN.parse().unwrap(), Root::EMPTY);
    assert_eq!(Checkpoint::parse_text(&empty.text()), Ok(empty));
}

#[test]
fn origins_are_bare_host_names() {
    let label = "a".repeat(63);
    let longest = [label.as_str(); 4].join(".")[..253].to_owned();
    for name in ["localhost", ORIGIN, "a", "1.2.3.4", "a-b.c", label.as_str(), longest.as_str()] {
        assert!(name.parse::<Origin>().is_ok_and(|origin| origin.as_str() == name), "{name}");
    }
    let long_label = "a".repeat(64);
    let too_long = format!("{longest}a");
    for name in [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "A.example",
        "a/b",
        "a:443",
        "a+b",
        "a b",
        "a_b",
        "-a",
        "a-",
        "é.example",
        "https://a",
        "a\n",
        "*",
        long_label.as_str(),
        too_long.as_str(),
    ] {
        assert!(name.parse::<Origin>().is_err(), "{name:?}");
    }
}

#[test]
fn a_cosignature_has_the_specified_form() {
    let line = cosignature::cosign(&checkpoint(), &witness(1), 1_679_315_147).unwrap();
    let (time, signature) = line.bytes().split_at(8);
    assert_eq!(time, 1_679_315_147_u64.to_be_bytes());
    let message = format!("cosignature/v1\ntime 1679315147\n{}", checkpoint().text());
    let key = UnparsedPublicKey::new(&ED25519, witness(1).verifier().public_key().to_vec());
    key.verify(message.as_bytes(), signature).unwrap();
    let late = cosignature::cosign(&checkpoint(), &witness(1), MAX_TIME_SECONDS + 1);
    assert_eq!(late, Err(CosignatureError::Time { time_seconds: 1 << 63 }));
    assert!(cosignature::cosign(&checkpoint(), &log(), 1).is_err(), "a log's key is no witness's");
}

#[test]
fn cosignatures_verify() {
    let signed = cosigned(&[1, 2]);
    let verified = cosignature::verify(signed.note(), witness(2).verifier()).unwrap().unwrap();
    assert_eq!((verified.witness().as_str(), verified.time_seconds()), ("witness.example/2", 1002));
    assert_eq!(cosignature::verify(signed.note(), witness(3).verifier()), Ok(None));
    assert!(cosignature::verify(signed.note(), log().verifier()).is_err());

    let line = cosignature::cosign(&checkpoint(), &witness(1), 5).unwrap();
    let with = |bytes: Vec<u8>| {
        let mut signed = self::signed();
        let bytes = [&line.id().as_bytes()[..], &bytes].concat();
        let text = format!("— {} {}", line.name(), STANDARD.encode(bytes));
        signed.add_signature(text.parse::<NoteSignature>().unwrap()).unwrap();
        cosignature::verify(signed.note(), witness(1).verifier())
    };
    assert!(with(line.bytes().to_vec()).is_ok());
    let bad = Err(NoteError::BadSignature { name: line.name().clone() }.into());
    for at in [7, 8, 71] {
        let mut bytes = line.bytes().to_vec();
        bytes[at] ^= 1;
        assert_eq!(with(bytes), bad, "byte {at}");
    }
    assert_eq!(with(line.bytes()[..71].to_vec()), bad);
    assert_eq!(with([line.bytes(), &[0]].concat()), bad);
    assert_eq!(with(line.bytes()[..7].to_vec()), bad);
    let mut late = line.bytes().to_vec();
    late[0] |= 0x80;
    assert!(matches!(with(late), Err(CosignatureError::Time { .. })));
    let mut twice = cosigned(&[1]);
    twice.add_signature(line).unwrap();
    assert!(cosignature::verify(twice.note(), witness(1).verifier()).is_err());
}

fn policy(lines: &str) -> String {
    let witnesses: String =
        (1..=5).map(|number| format!("witness w{number} {}\n", witness(number).verifier())).collect();
    format!("log {}\n{witnesses}{lines}", log().verifier())
}

const NESTED: &str = "group x 2 w1 w2 w3\ngroup y any w4 w5\ngroup both all x y\nquorum both\n";

#[test]
fn quorums_count() {
    // What is expected: refused, or accepted with the witness whose cosignature completed the quorum.
    let check = |lines: &str, witnesses: &[u8], expected: Option<Option<u8>>| {
        let policy: WitnessPolicy = policy(lines).parse().unwrap();
        let result = policy.accept(cosigned(witnesses).note().to_string().as_bytes());
        match &result {
            Ok(seen) => {
                let completed_by = expected.expect("accepted");
                assert_eq!(seen.cosignatures().len(), witnesses.len());
                assert_eq!(seen.quorum_time_seconds(), completed_by.map(|number| 1000 + u64::from(number)));
            }
            Err(error) => assert!(matches!(error, AcceptError::NoQuorum { .. }), "{error}"),
        }
        assert_eq!(result.is_ok(), expected.is_some(), "{lines} {witnesses:?}");
    };
    check("quorum none\n", &[], Some(None));
    check("quorum none\n", &[3], Some(None));
    check("quorum w1\n", &[1], Some(Some(1)));
    check("quorum w1\n", &[2, 3, 4, 5], None);
    check("group g any w1 w2\nquorum g\n", &[2], Some(Some(2)));
    check("group g any w1 w2\nquorum g\n", &[], None);
    check("group g 1 w1 w2\nquorum g\n", &[1], Some(Some(1)));
    check("group g all w1 w2\nquorum g\n", &[1], None);
    check("group g all w1 w2\nquorum g\n", &[2, 1], Some(Some(2)));
    check("group g 2 w1 w2 w3\nquorum g\n", &[1], None);
    check("group g 2 w1 w2 w3\nquorum g\n", &[3, 1], Some(Some(3)));
    check(NESTED, &[1, 2, 4], Some(Some(4)));
    check(NESTED, &[1, 2, 3], None);
    check(NESTED, &[1, 4, 5], None);
    check(NESTED, &[1, 2, 3, 4, 5], Some(Some(4)));
    check("group x 2 w1 w2 w3\nquorum w4\n", &[1, 2], None);
}

#[test]
fn a_policy_refuses_other_logs_and_wrong_signatures() {
    let parsed: WitnessPolicy = policy("quorum none\n").parse().unwrap();
    let other = signer("log.example.org", KeyType::Ed25519, 3);
    let unknown = Checkpoint::new("log.example.org".parse().unwrap(), Root::EMPTY).sign(&other).unwrap();
    let refused = parsed.accept(unknown.note().to_string().as_bytes());
    assert_eq!(refused, Err(AcceptError::NoKnownLog { origin: "log.example.org".to_owned() }));
    // Two known logs: one must not sign for the other.
    let two: WitnessPolicy =
        format!("log {}\n{}", other.verifier(), policy("quorum none\n")).parse().unwrap();
    assert!(two.accept(unknown.note().to_string().as_bytes()).is_ok());
    let mut crossed = Note::new(checkpoint().text()).unwrap();
    crossed.sign(&other).unwrap();
    assert!(matches!(two.accept_note(crossed), Err(AcceptError::NoKnownLog { .. })));
    // A known witness's wrong signature refuses the note, though no witness is demanded.
    let elsewhere = Checkpoint::new(ORIGIN.parse().unwrap(), Root::EMPTY);
    let mut spoiled = signed();
    spoiled.add_signature(cosignature::cosign(&elsewhere, &witness(1), 1).unwrap()).unwrap();
    assert!(matches!(parsed.accept_note(spoiled.note().clone()), Err(AcceptError::Cosignature(_))));
    let tampered = signed().note().to_string().replacen("\n7\n", "\n8\n", 1);
    assert!(matches!(
        parsed.accept(tampered.as_bytes()),
        Err(AcceptError::Note(NoteError::BadSignature { .. }))
    ));
}

#[test]
fn policies_read_and_write() {
    let text = policy(NESTED);
    let parsed: WitnessPolicy = text.parse().unwrap();
    assert_eq!(parsed.to_string(), text);
    assert_eq!((parsed.logs().len(), parsed.witnesses().len(), parsed.groups().len()), (1, 5, 3));
    assert_eq!(parsed.quorum(), &Quorum::Named("both".to_owned()));
    let spaced =
        format!("# comment\n\n \t\n\t#indented\n{}", text.replace(' ', "  \t ").replace('\n', " \n"));
    assert_eq!(spaced.parse::<WitnessPolicy>().unwrap(), parsed);
    let urls = format!("log {} https://log.example\nquorum none\n", log().verifier());
    let parsed: WitnessPolicy = urls.parse().unwrap();
    assert_eq!(parsed.to_string(), urls);
    assert_eq!("quorum none\n".parse::<WitnessPolicy>().unwrap().logs(), []);
}

#[test]
fn malformed_policies_are_refused() {
    let check = |lines: &str, expected: LineError| match policy(lines).parse::<WitnessPolicy>() {
        Err(PolicyError::Line { error, .. }) => assert_eq!(error, expected, "{lines}"),
        other => unreachable!("{lines}: {other:?}"),
    };
    let undefined = |name: &str| LineError::Undefined { name: name.to_owned() };
    let taken = |name: &str| LineError::NameTaken { name: name.to_owned() };
    let twice = |name: &str| LineError::MemberTwice { name: name.to_owned() };
    check("quorum w9\n", undefined("w9"));
    check("quorum g\ngroup g any w1\n", undefined("g"));
    check("group g any g\nquorum g\n", undefined("g"));
    check("group g any none\nquorum g\n", undefined("none"));
    check("group g any w1 w1\nquorum g\n", twice("w1"));
    check("group g any w1 w2\ngroup h any w1 w3\nquorum h\n", twice("w1"));
    check("group w1 any w2\nquorum none\n", taken("w1"));
    check("group none any w2\nquorum none\n", taken("none"));
    check("group g 0 w1\nquorum g\n", LineError::Threshold { members: 1 });
    check("group g 3 w1 w2\nquorum g\n", LineError::Threshold { members: 2 });
    check("group g 01 w1 w2\nquorum g\n", LineError::Threshold { members: 2 });
    check("group g most w1 w2\nquorum g\n", LineError::Threshold { members: 2 });
    check("group g any\nquorum g\n", LineError::Syntax);
    check("quorum none\nquorum none\n", LineError::SecondQuorum);
    check("quorum\n", LineError::Syntax);
    check("quorum w1 w2\n", LineError::Syntax);
    check("Quorum none\n", LineError::Syntax);
    check("witness w6\nquorum none\n", LineError::Syntax);
    check(&format!("witness w6 {}\nquorum none\n", log().verifier()), LineError::KeyType);
    check(
        &format!("log {}\nquorum none\n", witness(1).verifier()),
        LineError::Origin("witness.example/1".parse::<Origin>().expect_err("a path is no origin")),
    );
    check(
        &format!("log {}\nquorum none\n", signer("a", KeyType::Cosignature, 1).verifier()),
        LineError::KeyType,
    );
    check(&format!("log {}\nquorum none\n", log().verifier()), LineError::DuplicateKey);
    // The same key under another name is the same witness.
    let renamed = signer("witness.example/new", KeyType::Cosignature, 11);
    check(&format!("witness w6 {}\nquorum none\n", renamed.verifier()), LineError::DuplicateKey);
    for text in ["", "\n", "quorum none", "quorum none\r\n", "quorum none\n\0\n", "# only a comment\n"] {
        assert!(text.parse::<WitnessPolicy>().is_err(), "{text:?}");
    }
    let error = policy("quorum w9\n").parse::<WitnessPolicy>().expect_err("undefined").to_string();
    assert!(error.starts_with("line 7 of the policy: `w9`"), "{error}");
}
