//! Verification of an evidence bundle, offline, from bytes: every check by name, all that fail
//! (docs/spec/evidence.md §Checks).
//!
//! Reading order: this file is the story, [`check`] says what a check is; each family has a file of its own.

mod again;
mod approved;
mod attestations;
mod check;
mod clocks;
mod container;
mod decisions;
mod directories;
mod disclosures;
mod examination;
mod hardware;
mod kept_policy;
mod lease;
mod lifecycle;
mod limits;
mod log;
mod log_time;
mod newer;
mod people;
mod policy_chain;
mod render;
mod requester;
mod story;
mod streams;
mod verdict;

use chancery_domain::time::Timestamp;

pub use approved::{Approved, IntendedLease, Logged};
pub use check::{Check, CheckName, Outcome};
pub use kept_policy::KeptPolicy;
pub use lease::{CertificateFacts, CertificateReader};
pub use newer::{LaterEvent, NewerLog};
pub use story::{DecisionStory, Story, is_only_said};

use check::{Finding, Runner};
use examination::Examination;

use crate::bundle::{BundleFiles, unpack};
use crate::trust::TrustDirectory;

/// What a verifier may add to the bundle.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// A log to hold the bundle's against: only that shows that nothing came after it.
    pub newer_log: Option<&'a NewerLog<'a>>,
    /// Whether a verdict that cannot be evaluated again (redacted, another engine) is a failure. An issuer sets it.
    pub require_replay: bool,
    /// Leaves out evaluating the verdicts again, which costs more than all other checks together. The check is
    /// then skipped, and said so; `require_replay` wins.
    pub without_replay: bool,
    /// Where a policy bundle is found that was prepared before, and kept for later.
    pub policy: Option<&'a KeptPolicy>,
    /// Reads certificates; without it, a bundle that holds one fails.
    pub certificates: Option<&'a CertificateReader<'a>>,
    /// Now, to say whether the trust directory has expired.
    pub now: Option<Timestamp>,
}

/// Everything that verification found.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Every check, in the order of [`CheckName::ALL`].
    pub checks: Vec<Check>,
    /// What nothing in the bundle proves.
    pub not_proved: Vec<String>,
    /// Events of the bundle's streams that came after it, when a newer log was given.
    pub later: Vec<LaterEvent>,
    /// What was verified, for people. Complete only when no check failed.
    pub story: Story,
    /// The approval, when there is one and no check failed.
    pub logged: Option<Logged<Approved>>,
}

impl Verification {
    /// Whether no check failed.
    pub fn passed(&self) -> bool {
        self.failed().is_empty()
    }

    /// Names of the checks that failed, in order.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Fail(_)));
        failed.map(|check| check.name).collect()
    }

    /// How one check went.
    pub fn outcome(&self, name: CheckName) -> Option<&Outcome> {
        self.checks.iter().find(|check| check.name == name.as_str()).map(|check| &check.outcome)
    }
}

/// Unpacks a zip and verifies it; a container that is refused fails `container`, and nothing else is reached.
pub fn verify_zip(zip: &[u8], trust: &TrustDirectory, options: &Options<'_>) -> Verification {
    match unpack(zip) {
        Ok(files) => verify(&files, trust, options),
        Err(refusal) => {
            let mut run = Runner::default();
            run.record(CheckName::Container, Finding::<()>::fail(refusal.to_string()));
            let checks = run.finish();
            Verification {
                not_proved: skipped(&checks),
                checks,
                later: Vec::new(),
                story: Story::default(),
                logged: None,
            }
        }
    }
}

/// Verifies the files of a bundle against a trust directory that came from elsewhere. Checks go on after a failure
/// as far as there is something left to check.
pub fn verify(files: &BundleFiles, trust: &TrustDirectory, options: &Options<'_>) -> Verification {
    let mut examination = Examination::new(files, trust.lineage(), options);
    let approved = examination.run();
    let Examination { run, story, later, mut not_proved, .. } = examination;
    let checks = run.finish();
    not_proved.extend(skipped(&checks));
    let passed = !checks.iter().any(|check| matches!(check.outcome, Outcome::Fail(_)));
    let logged = approved.filter(|_| passed);
    Verification { checks, not_proved, later, story, logged }
}

/// A check that was skipped has proved nothing, which must not be read over.
fn skipped(checks: &[Check]) -> Vec<String> {
    let said = |check: &Check| match &check.outcome {
        Outcome::Skipped(reason) => {
            Some(format!("that {}: `{}` was skipped ({reason})", check.proves, check.name))
        }
        Outcome::Pass | Outcome::Fail(_) => None,
    };
    checks.iter().filter_map(said).collect()
}
