//! The scenario's evidence, which the targets are built with as well.

use std::collections::BTreeMap;
use std::path::Path;

use chancery_evidence::bundle::{BundleFiles, pack};
use chancery_evidence::trust::TrustDirectory;
use chancery_testkit::scenario::Scenario;

use super::Seeds;

pub fn seeds(scenario: &Scenario, seeds: &mut Seeds) {
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let zip = pack(&files).unwrap();
    let trust = TrustDirectory::render(trust.root()).unwrap();
    let trust: BTreeMap<String, String> =
        trust.into_iter().map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    std::fs::write(fixtures.join("honest.zip"), &zip).unwrap();
    std::fs::write(fixtures.join("trust.json"), serde_json::to_string_pretty(&trust).unwrap()).unwrap();
    seeds.add("evidence_zip", "honest", &zip);
    let few: BundleFiles = [("a.json", "{}"), ("b/c.txt", &"text ".repeat(100))]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into();
    seeds.add("evidence_zip", "few", pack(&few).unwrap());
    seeds.add("evidence_zip", "empty", pack(&BundleFiles::new()).unwrap());
    // One file of each kind is enough.
    let kinds: BTreeMap<&str, &String> =
        files.keys().map(|path| (path.split(['/', '.']).next().unwrap_or(path), path)).collect();
    for (kind, path) in kinds {
        seeds.add("evidence_file", kind, [path.as_bytes(), b"\n", &files[path]].concat());
    }
    seeds.add("evidence_file", "unlisted", "leaves/999.json\n{}");
}
