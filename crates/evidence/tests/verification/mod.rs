//! What the tests of bad bundles share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use chancery_canonical::Canonical;
use chancery_domain::document::GrantTerms;
use chancery_domain::event::{Approved, Judged, Phase as LoggedPhase, RequestEvent};
use chancery_domain::id::PersonId;
use chancery_domain::verdict::Verdict;
use chancery_evidence::bundle::{BundleFiles, Manifest, layout};
use chancery_evidence::trust::TrustDirectory;
use chancery_evidence::verify::{Options, Verification, verify};
use chancery_policy::input::Phase;
use chancery_testkit::corpus;
use chancery_testkit::scenario::{Scenario, certificate_reader};
use serde_json::json;

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

/// Verifies, and keeps the bundle for other verifiers.
pub fn examined(files: &BundleFiles, trust: &TrustDirectory, options: &Options<'_>) -> Verification {
    corpus::keep(files, trust);
    verify(files, trust, options)
}

/// The bundle of this scenario fails these checks, and no others.
#[track_caller]
pub fn check_fails(scenario: &Scenario, failed: &[&str]) -> Verification {
    let verification = examined(&scenario.bundle(), &scenario.trust(), &options());
    assert_eq!(verification.failed(), failed, "{}", verification.to_text());
    assert!(verification.logged.is_none());
    verification
}

/// The control: the same without the forgery passes.
#[track_caller]
pub fn check_passes(scenario: &Scenario) {
    let verification = examined(&scenario.bundle(), &scenario.trust(), &options());
    assert!(verification.passed() && verification.logged.is_some(), "{}", verification.to_text());
}

/// The approval that would follow, with these people in the seats.
pub fn approve_anyway(scenario: &mut Scenario, seats: &[(&str, &str)]) {
    let seats = seats.iter().map(|(stage, name)| ((*stage).to_owned(), [scenario.world.id(name)].into()));
    let starts_by = scenario.world.now.plus(60);
    let approved = Approved { revision: 1, seats: seats.collect(), starts_by, attestation_sha256: None };
    scenario.record(RequestEvent::Approved(approved));
}

/// Policy's honest answer to the document as it stands.
pub fn judge(scenario: &mut Scenario) {
    let verdict = scenario.judge(Phase::Request);
    let judged = judged(scenario, &verdict);
    scenario.record(RequestEvent::Judged(judged));
}

/// Policy's honest answer before a grant starts.
pub fn judge_again(scenario: &mut Scenario) {
    let verdict = scenario.judge(Phase::Issue);
    let judged =
        Judged { phase: LoggedPhase::Issue, grant: None, lapses_at: None, ..judged(scenario, &verdict) };
    scenario.record(RequestEvent::Judged(judged));
}

/// What the log would say of a verdict.
pub fn judged(scenario: &Scenario, verdict: &Verdict) -> Judged {
    let (now, said) = (scenario.world.now, verdict.document());
    let clocks = &said.constraints;
    let lapses_at = now.plus(clocks.pending_seconds);
    let not_after = lapses_at.plus(clocks.approval_validity_seconds).plus(clocks.grant_seconds);
    let grant = GrantTerms { max_seconds: clocks.grant_seconds, not_before: now, not_after };
    Judged {
        revision: 1,
        phase: LoggedPhase::Request,
        outcome: said.verdict,
        verdict_sha256: verdict.sha256(),
        input_sha256: said.input_sha256,
        policy_sha256: said.policy_sha256,
        grant: Some(grant),
        lapses_at: Some(lapses_at),
        risk_score: said.risk.score,
        attestation_sha256: None,
    }
}

/// The bundle without one leaf of a person's stream, as a server would make it.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn without_identity(mut files: BundleFiles, person: &PersonId, leaf: u64) -> BundleFiles {
    let mut manifest = Manifest::read(&files).unwrap();
    let leaves = manifest.identity.get_mut(person).unwrap();
    leaves.retain(|index| *index != leaf);
    let summary = json!({ "person": person, "leaves": leaves });
    files.insert(layout::identity(person), Canonical::of(&summary).unwrap().as_bytes().to_vec());
    for path in [layout::leaf(leaf), layout::proof(leaf), layout::disclosures(leaf)] {
        files.remove(&path);
    }
    manifest.seal(&mut files).unwrap();
    files
}
