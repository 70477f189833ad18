//! Offline proofs: what a stranger is given, and every way to spoil it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeMap;

use chancery_ledger::cosignature;
use chancery_ledger::proof::{MAX_EXTRA_BYTES, MAX_PATH, ProofError};
use chancery_ledger::tile::prove_inclusion_from_tiles;
use chancery_ledger::tree::{EMPTY_ROOT, InclusionError};
use chancery_ledger::witness_policy::AcceptError;
use chancery_ledger::{Checkpoint, KeyType, LogProof, SignerKey, Tree, WitnessPolicy, leaf_hash};
use proptest::prelude::*;

const SIZE: u64 = 300;

fn leaf(index: u64) -> Vec<u8> {
    format!("leaf {index}").into_bytes()
}

fn signer(name: &str, key_type: KeyType) -> SignerKey {
    SignerKey::from_seed(name.parse().unwrap(), key_type, &[key_type as u8 + 1; 32]).unwrap()
}

fn log() -> SignerKey {
    signer("log.example.com", KeyType::Ed25519)
}

fn witness() -> SignerKey {
    signer("witness.example.com", KeyType::Cosignature)
}

fn policy(quorum: &str) -> WitnessPolicy {
    let (log, witness) = (log(), witness());
    format!("log {}\nwitness w {}\nquorum {quorum}\n", log.verifier(), witness.verifier()).parse().unwrap()
}

fn proof(index: u64) -> LogProof {
    let leaves: Vec<_> = (0..SIZE).map(leaf).collect();
    let (tree, growth) = Tree::empty().append(&leaves).unwrap();
    let tiles: BTreeMap<_, _> = growth.tiles.into_iter().collect();
    let path = prove_inclusion_from_tiles(SIZE, index, |path| tiles.get(path).cloned()).unwrap();
    let checkpoint = Checkpoint::new("log.example.com".parse().unwrap(), tree.root());
    let mut signed = checkpoint.sign(&log()).unwrap();
    signed
        .add_signature(cosignature::cosign(signed.checkpoint(), &witness(), 1_700_000_000).unwrap())
        .unwrap();
    LogProof::new(index, path, signed.note().clone()).unwrap()
}

#[test]
fn proofs_verify() {
    for index in [0, 1, 255, 256, 299] {
        let proof = LogProof::parse(proof(index).to_string().as_bytes()).unwrap();
        let entry = proof.verify(&leaf(index), &policy("w")).unwrap();
        assert_eq!((entry.index(), entry.leaf_hash()), (index, leaf_hash(&leaf(index))));
        assert_eq!(entry.checkpoint().checkpoint().size(), SIZE);
        assert_eq!(entry.cosignatures().len(), 1);
        assert_eq!(entry.quorum_time_seconds(), Some(1_700_000_000));
        let unwitnessed = proof.verify_with_key(&leaf(index), log().verifier()).unwrap();
        assert_eq!((unwitnessed.cosignatures(), unwitnessed.quorum_time_seconds()), (&[][..], None));
    }
}

#[test]
fn proofs_read_and_write() {
    let without = proof(5);
    let with = proof(5).with_extra(b"extra".to_vec()).unwrap();
    let text = with.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 5\n"), "{text}");
    assert!(without.to_string().starts_with("c2sp.org/tlog-proof@v1\nindex 5\n"));
    for proof in [without, with, proof(0).with_extra(Vec::new()).unwrap()] {
        assert_eq!(LogProof::parse(proof.to_string().as_bytes()), Ok(proof));
    }
}

#[test]
fn wrong_proofs_are_refused() {
    let good = proof(5);
    let check = |text: String, leaf: &[u8], expected: &dyn Fn(&ProofError) -> bool| {
        let error = LogProof::parse(text.as_bytes()).and_then(|proof| proof.verify(leaf, &policy("w")));
        let error = error.map(|entry| entry.index()).unwrap_err();
        assert!(expected(&error), "{error}\n{text}");
    };
    let inclusion = |error: &ProofError| matches!(error, ProofError::Inclusion(_));
    let text = good.to_string();
    check(text.clone(), b"leaf 6", &|error| {
        matches!(error, ProofError::Inclusion(InclusionError::Root { .. }))
    });
    check(text.replacen("index 5", "index 4", 1), b"leaf 5", &inclusion);
    check(text.replacen("index 5", "index 300", 1), b"leaf 5", &inclusion);
    let line = format!("{}\n", good.path()[0].to_base64());
    check(text.replacen(&line, "", 1), b"leaf 5", &inclusion);
    check(text.replacen(&line, &line.repeat(2), 1), b"leaf 5", &inclusion);
    check(text.replacen(&line, &format!("{}\n", EMPTY_ROOT.to_base64()), 1), b"leaf 5", &inclusion);
    check(text.replacen("\n300\n", "\n301\n", 1), b"leaf 5", &|error| matches!(error, ProofError::Policy(_)));
    let cosigned = text.rfind("— witness").unwrap();
    check(text[..cosigned].to_owned(), b"leaf 5", &|error| {
        matches!(error, ProofError::Policy(AcceptError::NoQuorum { .. }))
    });
    let without = LogProof::parse(&text.as_bytes()[..cosigned]).unwrap();
    assert!(without.verify(b"leaf 5", &policy("none")).is_ok());
    assert!(without.verify_with_key(b"leaf 5", witness().verifier()).is_err());
}

#[test]
fn malformed_proofs_are_refused() {
    let text = proof(5).to_string();
    let first = proof(5).path()[0].to_base64();
    for (from, to) in [
        ("c2sp.org/tlog-proof@v1\n", ""),
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("c2sp", " c2sp"),
        ("index 5", "index 05"),
        ("index 5", "index  5"),
        ("index 5", "index +5"),
        ("index 5", "index -5"),
        ("index 5", "index"),
        ("index 5", "index 9223372036854775808"),
        ("index 5", "index 18446744073709551617"),
        ("index 5\n", ""),
        ("index 5", "index 5\nindex 5"),
        ("index 5", "extra ZXh0cmE\nindex 5"),
        ("index 5", "extra ZXh0cmF=\nindex 5"),
        ("index 5", "extra\nindex 5"),
        ("index 5", "extra AAAA\nextra AAAA\nindex 5"),
        ("index 5", "index 5\nextra AAAA"),
        ("index 5", "index 5\n"),
        ("index 5\n", "index 5\r\n"),
        (first.as_str(), &first[..43]),
        (first.as_str(), "AAAA"),
        (first.as_str(), &format!("{first} ")),
        ("\n\nlog.example", "\nlog.example"),
        ("\n\nlog.example", "\n\n\nlog.example"),
    ] {
        let spoiled = text.replacen(from, to, 1);
        assert_ne!(spoiled, text);
        let verified =
            LogProof::parse(spoiled.as_bytes()).and_then(|proof| proof.verify(b"leaf 5", &policy("w")));
        assert!(verified.is_err(), "{from:?} to {to:?}");
    }
    assert!(LogProof::parse(b"").is_err());
    assert!(LogProof::parse(text.trim_end().as_bytes()).is_err());
    assert!(LogProof::parse(format!("{text}\n").as_bytes()).is_err());
    let note = proof(5).checkpoint().clone();
    assert_eq!(LogProof::new(1 << 63, vec![], note.clone()), Err(ProofError::Index));
    assert_eq!(LogProof::new(0, vec![EMPTY_ROOT; MAX_PATH + 1], note), Err(ProofError::PathTooLong));
    assert_eq!(proof(5).with_extra(vec![0; MAX_EXTRA_BYTES + 1]), Err(ProofError::Extra));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Bytes replaced, removed or put in anywhere: either it is refused, or it is another spelling of nothing.
    #[test]
    fn whatever_is_read_is_written_back_the_same(
        at in any::<prop::sample::Index>(),
        length in 0_usize..3,
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b' '), Just(b'0'), Just(b'A'), Just(b'=')], 0..3),
    ) {
        let text = SPOILABLE.with(Clone::clone);
        let at = at.index(text.len());
        let mut spoiled = text.as_bytes().to_vec();
        spoiled.splice(at..(at + length).min(text.len()), bytes);
        if let Ok(proof) = LogProof::parse(&spoiled) {
            prop_assert_eq!(proof.to_string().into_bytes(), spoiled.clone());
            if let Ok(entry) = proof.verify(b"leaf 5", &policy("w")) {
                prop_assert_eq!(entry.index(), 5);
                prop_assert_eq!(entry.checkpoint().checkpoint().size(), SIZE);
            }
        }
    }
}

thread_local! {
    static SPOILABLE: String = proof(5).with_extra(b"extra".to_vec()).unwrap().to_string();
}
