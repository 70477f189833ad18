//! What the tests of bad bundles share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use chancery_evidence::bundle::{BundleFiles, Manifest};
use chancery_evidence::verify::{Options, Verification, verify};
use chancery_testkit::scenario::{Scenario, certificate_reader};

/// As an issuer verifies.
pub fn options() -> Options<'static> {
    Options { certificates: Some(&certificate_reader), require_replay: true, ..Options::default() }
}

/// The bundle with a manifest that fits it, so that the inner checks have to notice.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn resealed(mut files: BundleFiles) -> BundleFiles {
    if let Ok(manifest) = Manifest::read(&files) {
        manifest.seal(&mut files).unwrap();
    }
    files
}

/// The bundle of this scenario fails these checks, and no others.
#[track_caller]
pub fn check_fails(scenario: &Scenario, failed: &[&str]) -> Verification {
    let verification = verify(&scenario.bundle(), &scenario.trust(), &options());
    assert_eq!(verification.failed(), failed, "{}", verification.to_text());
    assert!(verification.logged.is_none());
    verification
}

/// The control: the same without the forgery passes.
#[track_caller]
pub fn check_passes(scenario: &Scenario) {
    let verification = verify(&scenario.bundle(), &scenario.trust(), &options());
    assert!(verification.passed() && verification.logged.is_some(), "{}", verification.to_text());
}
