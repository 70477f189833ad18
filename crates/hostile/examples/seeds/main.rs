//! Makes the first files of every corpus out of real things: `cargo run --example seeds -p chancery-hostile`. What
//! fuzzing found beside them stays. Keys and salts are fresh in each run, so the files differ from run to run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "an example fails by panicking")]

mod documents;
mod evidence;
mod ledger;
mod ssh;
mod texts;
mod webauthn;

use std::collections::BTreeMap;
use std::path::Path;

use chancery_hostile::TARGETS;
use chancery_testkit::scenario::Scenario;

/// Files by target and name.
#[derive(Default)]
struct Seeds(BTreeMap<(&'static str, String), Vec<u8>>);

impl Seeds {
    /// A file for a target, and what is left of it when its end is cut off, which no reader should take.
    fn add(&mut self, target: &'static str, name: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.0.insert((target, format!("{name}-cut")), bytes[..bytes.len() - bytes.len() / 8 - 1].to_vec());
        self.0.insert((target, name.to_owned()), bytes.to_vec());
    }
}

fn main() {
    let scenario = Scenario::honest();
    let mut seeds = Seeds::default();
    ledger::seeds(&scenario, &mut seeds);
    evidence::seeds(&scenario, &mut seeds);
    documents::seeds(scenario, &mut seeds);
    webauthn::seeds(&mut seeds);
    ssh::seeds(&mut seeds);
    texts::seeds(&mut seeds);
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for ((target, name), bytes) in seeds.0 {
        assert!(TARGETS.iter().any(|known| known.name == target), "`{target}` is no target");
        let folder = corpora.join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
