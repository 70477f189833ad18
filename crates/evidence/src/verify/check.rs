//! Named checks: what each is called, what it proves, and how it went.

use std::fmt;

/// Declares the checks in the order in which they run and are printed.
macro_rules! checks {
    ($($variant:ident = $name:literal, $proves:literal;)+) => {
        /// One named check. The names are stable: scripts and documents rely on them (docs/spec/evidence.md).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CheckName {
            $(#[doc = concat!("`", $name, "`: ", $proves, ".")] $variant,)+
        }

        impl CheckName {
            /// Every check, in order.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// Its stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it proves when it passes.
            pub const fn proves(self) -> &'static str {
                match self { $(Self::$variant => $proves,)+ }
            }
        }
    };
}

checks! {
    Container = "container", "every reader sees the same files in this bundle";
    Manifest = "manifest", "nothing was added to the bundle and nothing is missing from it";
    FileDigests = "file-digests", "each file has the bytes that the manifest lists";
    TrustRoot = "trust-root", "your own trust directory is whole and speaks of this log";
    CheckpointSignature = "checkpoint-signature", "the log committed to one tree";
    WitnessPolicy = "witness-policy", "enough of the witnesses that you trust saw that tree";
    LeafInclusion = "leaf-inclusion", "every event of the bundle stands in that tree, at its index";
    LeafEncoding = "leaf-encoding", "each event can be read in one way only";
    StreamContinuity = "stream-continuity", "no event was left out of the middle of a stream";
    StreamLifecycle = "stream-lifecycle", "each event was possible after the one before";
    LogTime = "log-time", "the times in the log run on, so none of these events was dated back";
    IdentityChain = "identity-chain", "each person, key and role goes back to the people in your trust directory";
    RecoveryWait = "recovery-wait", "no key signed within the day in which its recovery could be stopped, and none that was lost";
    PolicyChain = "policy-chain", "the policy was activated by its owners, and was the active one";
    RequestDigest = "request-digest", "the request document is the one that everybody signed for";
    RequesterSignature = "requester-signature", "the requester asked for exactly this";
    BeneficiaryPossession = "beneficiary-possession", "whoever receives it holds the key in the request";
    EntitlementDigest = "entitlement-digest", "what was asked for is what the policy bundle defines";
    PolicyDigest = "policy-digest", "the policy files are those that judged";
    VerdictDigest = "verdict-digest", "verdict and input are those that were logged, and speak of this request";
    VerdictReplay = "verdict-replay", "the same policy says the same of the same input, byte for byte";
    Floor = "floor", "the verdict is not below what your trust directory demands";
    DecisionSignatures = "decision-signatures", "each decision was signed by its approver with a key that was theirs";
    DecisionSubject = "decision-subject", "each decision that counts is about exactly this, and was used once";
    PasskeyAttestation = "passkey-attestation", "where hardware was demanded, each signature is of a key whose maker and model you believe";
    Quorum = "quorum", "enough distinct eligible people approved, and who sits where follows from it";
    ApprovalTime = "approval-time", "no clock had run out, by the times in the log, and none was set later than it should";
    LeaseIntended = "lease-intended", "each credential was announced before it was made, within the grant";
    AttestationSignatures = "attestation-signatures", "each attestation was signed by a key for its kind";
    AttestationLogEntry = "attestation-log-entry", "each attestation stands in the log where its bundle says";
    AttestationContent = "attestation-content", "each attestation says what its event says";
    Disclosures = "disclosures", "each clear value shown is the one that was committed to";
    NewerLog = "newer-log", "the newer log contains this one, and nothing was cut off before it";
}

impl fmt::Display for CheckName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How a check went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not, for these reasons.
    Fail(Vec<String>),
    /// There was nothing to check, or what it needs failed; says which.
    Skipped(String),
}

/// A check that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What it proves when it passes.
    pub proves: &'static str,
}

/// What a check found: perhaps a value for later checks, perhaps problems, perhaps both.
pub(super) struct Finding<T> {
    pub value: Option<T>,
    pub problems: Vec<String>,
}

impl<T> Finding<T> {
    pub fn pass(value: T) -> Self {
        Self { value: Some(value), problems: Vec::new() }
    }

    pub fn fail(problem: impl Into<String>) -> Self {
        Self { value: None, problems: vec![problem.into()] }
    }

    /// A value that later checks may use even if there are problems: they report more, and none is forgiven.
    pub fn with(value: T, problems: Vec<String>) -> Self {
        Self { value: Some(value), problems }
    }
}

impl Finding<()> {
    pub fn of(problems: Vec<String>) -> Self {
        Self::with((), problems)
    }
}

/// Collects the outcomes of checks, each once.
#[derive(Default)]
pub(super) struct Runner {
    done: Vec<(CheckName, Outcome)>,
}

impl Runner {
    /// Notes what a check found, and passes on its value.
    pub fn record<T>(&mut self, name: CheckName, finding: Finding<T>) -> Option<T> {
        let outcome = if finding.problems.is_empty() && finding.value.is_some() {
            Outcome::Pass
        } else {
            Outcome::Fail(finding.problems)
        };
        self.done.push((name, outcome));
        finding.value
    }

    /// Adds a problem to a check that was noted before.
    pub fn add_problem(&mut self, name: CheckName, problem: String) {
        match self.done.iter_mut().find(|(done, _)| *done == name) {
            Some((_, Outcome::Fail(problems))) => problems.push(problem),
            Some((_, outcome)) => *outcome = Outcome::Fail(vec![problem]),
            None => self.done.push((name, Outcome::Fail(vec![problem]))),
        }
    }

    /// Notes that there was nothing to check.
    pub fn skip(&mut self, name: CheckName, reason: impl Into<String>) {
        self.done.push((name, Outcome::Skipped(reason.into())));
    }

    /// All checks in their order; those that nothing was noted of were not reached.
    pub fn finish(mut self) -> Vec<Check> {
        for name in CheckName::ALL {
            if !self.done.iter().any(|(done, _)| *done == name) {
                self.skip(name, "not reached: an earlier check failed");
            }
        }
        self.done.sort_by_key(|(name, _)| *name);
        let check = |(name, outcome): (CheckName, Outcome)| Check {
            name: name.as_str(),
            outcome,
            proves: name.proves(),
        };
        self.done.into_iter().map(check).collect()
    }
}
