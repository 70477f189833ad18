//! What the scenario's log serves.

use chancery_ledger::tile::encode_entry;
use chancery_ledger::{LogProof, Note, TilePath};
use chancery_testkit::scenario::{Scenario, read_leaf};

use super::Seeds;

pub fn seeds(scenario: &Scenario, seeds: &mut Seeds) {
    let signed = scenario.checkpoint(scenario.size());
    let note = signed.note().to_string();
    seeds.add("note", "checkpoint", &note);
    let mut twice = Note::parse(note.as_bytes()).unwrap();
    twice.add(twice.signatures()[0].clone()).unwrap();
    seeds.add("note", "two-signatures", twice.to_string());
    seeds.add("checkpoint", "large", signed.checkpoint().text());
    seeds.add("checkpoint", "small", scenario.checkpoint(1).checkpoint().text());
    for (name, path) in [
        ("first", "tile/0/000"),
        ("partial", "tile/1/000.p/5"),
        ("far", "tile/0/x001/x234/067"),
        ("entries", "tile/entries/x123/456.p/255"),
    ] {
        assert!(path.parse::<TilePath>().is_ok(), "{path}");
        seeds.add("tile_path", name, path);
    }
    let mut bundle = Vec::new();
    (0..4).for_each(|index| encode_entry(&mut bundle, &read_leaf(scenario, index).unwrap()).unwrap());
    seeds.add("entry_bundle", "four", &bundle);
    seeds.add("entry_bundle", "empty-entries", [0, 0, 0, 1, b'x', 0, 0]);
    let files = scenario.bundle();
    let proofs: Vec<_> = files.iter().filter(|(path, _)| path.starts_with("proofs/")).collect();
    for (_, proof) in [proofs[0], proofs[proofs.len() - 1]] {
        let read = LogProof::parse(proof).unwrap();
        seeds.add("log_proof", &read.index().to_string(), proof);
        let extra = read.with_extra(b"extra".to_vec()).unwrap();
        seeds.add("log_proof", "with-extra", extra.to_string());
    }
}
