//! Keeps bundles, good and forged, alone or with a newer log, with what verification says of them, so that a verifier that shares no code with
//! this one can be held against it (console/tests/verify). Nothing is kept unless `CHANCERY_CORPUS` names a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chancery_evidence::bundle::{BundleFiles, pack};
use chancery_evidence::trust::TrustDirectory;
use chancery_evidence::verify::{
    CertificateReader, Check, NewerLog, Options, Outcome, Verification, verify_zip,
};
use chancery_ledger::tile::{TILE_WIDTH, TileKind, encode_entry, tile_at};
use serde_json::{Value, json};

use crate::scenario::certificate_reader;

/// How many bundles of each name were kept.
static KEPT: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// Keeps a scenario's bundle under the name of the running test.
pub fn keep(files: &BundleFiles, trust: &TrustDirectory) {
    if let (Some(_), Ok(zip)) = (folder(), pack(files)) {
        keep_zip(&test_name(), &zip, trust);
    }
}

/// Keeps a container with a scenario's stand-ins for certificates, under a name and a number.
pub fn keep_zip(name: &str, zip: &[u8], trust: &TrustDirectory) {
    keep_with(name, zip, trust, ("stand-in", &certificate_reader));
}

/// Keeps a container as it is, with certificates of a kind and what reads them.
pub fn keep_with(
    name: &str,
    zip: &[u8],
    trust: &TrustDirectory,
    (certificates, reader): (&str, &CertificateReader<'_>),
) {
    let Some(case) = empty_case(name) else { return };
    // As `chancery verify` does.
    let options = Options { certificates: Some(reader), ..Options::default() };
    keep_case(&case, zip, trust, certificates, &options);
}

/// A log that a bundle is held against.
pub struct KeptLog {
    /// Its signed checkpoint.
    pub checkpoint: String,
    /// How many leaves that speaks of.
    pub size: u64,
    /// The leaves that are there.
    pub leaves: Vec<Vec<u8>>,
}

impl KeptLog {
    /// Bytes of a leaf.
    pub fn leaf(&self, index: u64) -> Option<Vec<u8>> {
        self.leaves.get(usize::try_from(index).ok()?).cloned()
    }

    /// As a mirror of the log would have it.
    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    fn write(&self, folder: &Path) {
        write(&folder.join("checkpoint"), self.checkpoint.as_bytes());
        for (number, leaves) in (0..).zip(self.leaves.chunks(usize::from(TILE_WIDTH))) {
            let path = tile_at(TileKind::Entries, number, self.size).unwrap();
            let mut bundle = Vec::new();
            for leaf in leaves {
                encode_entry(&mut bundle, leaf).unwrap();
            }
            write(&folder.join(path.to_string()), &bundle);
        }
    }
}

/// Keeps a scenario's bundle, held against a newer log.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn keep_against(name: &str, files: &BundleFiles, trust: &TrustDirectory, log: &KeptLog) {
    let Some(case) = empty_case(name) else { return };
    log.write(&case.join("log"));
    let leaf = |index| log.leaf(index);
    let newer = NewerLog { checkpoint: log.checkpoint.as_bytes(), leaf: &leaf };
    let options =
        Options { newer_log: Some(&newer), certificates: Some(&certificate_reader), ..Options::default() };
    keep_case(&case, &pack(files).unwrap(), trust, "stand-in", &options);
}

/// The folder of the next case of a name; what another run left there would not belong to it.
fn empty_case(name: &str) -> Option<PathBuf> {
    let case = folder()?.join(numbered(name));
    let _ = std::fs::remove_dir_all(&case);
    Some(case)
}

#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
fn keep_case(case: &Path, zip: &[u8], trust: &TrustDirectory, certificates: &str, options: &Options<'_>) {
    for (path, bytes) in &trust.files().unwrap() {
        write(&case.join("trust").join(path), bytes);
    }
    write(&case.join("bundle.zip"), zip);
    let said = verdict(&verify_zip(zip, trust, options), certificates);
    write(&case.join("verdict.json"), &serde_json::to_vec_pretty(&said).unwrap());
}

fn verdict(verification: &Verification, certificates: &str) -> Value {
    let checks: BTreeMap<&str, &str> =
        verification.checks.iter().map(|check| (check.name, outcome(check))).collect();
    let later = verification.later.iter();
    let later: Vec<Value> =
        later.map(|event| json!([event.index, event.stream, event.kind, event.at])).collect();
    json!({
        "certificates": certificates,
        "failed": verification.failed(),
        "checks": checks,
        "later": later,
        "not_proved": verification.not_proved,
    })
}

fn outcome(check: &Check) -> &'static str {
    match check.outcome {
        Outcome::Pass => "pass",
        Outcome::Fail(_) => "fail",
        Outcome::Skipped(_) => "skipped",
    }
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("CHANCERY_CORPUS").map(PathBuf::from)
}

/// The running test. Tests run in threads of their names; work that a test spreads over others has none.
pub fn test_name() -> String {
    std::thread::current().name().unwrap_or("spread").replace("::", "-")
}

fn numbered(name: &str) -> String {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let number = kept.entry(name.to_owned()).or_default();
    *number += 1;
    format!("{name}-{number:03}")
}

#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
