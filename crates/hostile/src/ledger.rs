//! What a log serves, and what comes with evidence: everything that is read has one spelling.

use chancery_ledger::tile::{decode_bundle, encode_entry};
use chancery_ledger::{Checkpoint, LogProof, Note, TilePath};

pub fn note(bytes: &[u8]) -> bool {
    let Ok(note) = Note::parse(bytes) else { return false };
    assert_eq!(note.to_string().as_bytes(), bytes, "a note has one spelling");
    let mut again = Note::new(note.text().to_owned()).unwrap();
    note.signatures().iter().for_each(|signature| again.add(signature.clone()).unwrap());
    assert_eq!(again, note, "text and signatures are all of a note");
    true
}

pub fn checkpoint(bytes: &[u8]) -> bool {
    crate::text(bytes, |text| {
        let Ok(checkpoint) = Checkpoint::parse_text(text) else { return false };
        assert_eq!(checkpoint.text(), text, "a checkpoint has one spelling");
        let (origin, root) = (checkpoint.origin().clone(), *checkpoint.root());
        assert_eq!(Checkpoint::new(origin, root), checkpoint);
        true
    })
}

pub fn tile_path(bytes: &[u8]) -> bool {
    crate::text(bytes, |text| {
        let Ok(path) = text.parse::<TilePath>() else { return false };
        assert_eq!(path.to_string(), text, "a path has one spelling");
        assert_eq!(TilePath::new(path.kind(), path.index(), path.width()).as_ref(), Ok(&path));
        assert!(path.full().is_full());
        true
    })
}

pub fn entry_bundle(bytes: &[u8]) -> bool {
    let Ok(entries) = decode_bundle(bytes) else { return false };
    let mut again = Vec::new();
    entries.iter().for_each(|entry| encode_entry(&mut again, entry).unwrap());
    assert_eq!(again, bytes, "a bundle is its entries");
    true
}

pub fn log_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = LogProof::parse(bytes) else { return false };
    assert_eq!(proof.to_string().as_bytes(), bytes, "a proof has one spelling");
    let again = LogProof::new(proof.index(), proof.path().to_vec(), proof.checkpoint().clone()).unwrap();
    let again = match proof.extra() {
        Some(extra) => again.with_extra(extra.to_vec()).unwrap(),
        None => again,
    };
    assert_eq!(again, proof, "index, path, checkpoint and extra data are all of a proof");
    true
}
