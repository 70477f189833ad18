//! Keeps bundles, good and forged, with what verification says of them, so that a verifier that shares no code with
//! this one can be held against it (console/tests/verify). Nothing is kept unless `CHANCERY_CORPUS` names a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chancery_evidence::bundle::{BundleFiles, pack};
use chancery_evidence::trust::TrustDirectory;
use chancery_evidence::verify::{CertificateReader, Check, Options, Outcome, Verification, verify_zip};
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
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn keep_with(
    name: &str,
    zip: &[u8],
    trust: &TrustDirectory,
    (certificates, reader): (&str, &CertificateReader<'_>),
) {
    let Some(folder) = folder() else { return };
    let case = folder.join(numbered(name));
    // What another run left there would not belong to it.
    let _ = std::fs::remove_dir_all(&case);
    for (path, bytes) in &trust.files().unwrap() {
        write(&case.join("trust").join(path), bytes);
    }
    write(&case.join("bundle.zip"), zip);
    // As `chancery verify` does.
    let options = Options { certificates: Some(reader), ..Options::default() };
    let said = verdict(&verify_zip(zip, trust, &options), certificates);
    write(&case.join("verdict.json"), &serde_json::to_vec_pretty(&said).unwrap());
}

fn verdict(verification: &Verification, certificates: &str) -> Value {
    let checks: BTreeMap<&str, &str> =
        verification.checks.iter().map(|check| (check.name, outcome(check))).collect();
    json!({
        "certificates": certificates,
        "failed": verification.failed(),
        "checks": checks,
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
