//! The order of the checks, and what each hands on to the next.

use std::collections::BTreeMap;

use chancery_canonical::Sha256;
use chancery_domain::count::HARDWARE_PASSKEY;
use chancery_domain::event::LeaseIntended;
use chancery_domain::id::LeaseId;
use chancery_domain::seats::Seating;
use chancery_domain::state::LeaseStatus;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Outcome as PolicyOutcome;
use chancery_ledger::{SignedCheckpoint, VerifierKey};
use chancery_policy::Entitlement;

use super::approved::{Approved, IntendedLease, Logged};
use super::attestations::Attested;
use super::check::{CheckName, Finding, Runner};
use super::decisions::{self, Verified};
use super::directories::Directories;
use super::hardware::Registrations;
use super::kept_policy::KeptPolicy;
use super::lease::{self, CertificateFacts, Granted};
use super::lifecycle::{self, Case};
use super::log::{self, Contents, Witnessed};
use super::newer::{Held, LaterEvent};
use super::requester::{self, Asking};
use super::story::Story;
use super::streams::{self, Recorded, Streams};
use super::verdict::{self, Verdict};
use super::{Options, again, clocks, container, disclosures, limits, log_time, people, policy_chain};
use crate::bundle::{BundleFiles, Manifest};
use crate::signer::Context;
use crate::trust::{Lineage, Versions};

pub(super) struct Examination<'a> {
    files: &'a BundleFiles,
    lineage: &'a Lineage,
    options: &'a Options<'a>,
    pub run: Runner,
    pub story: Story,
    pub later: Vec<LaterEvent>,
    pub not_proved: Vec<String>,
    recovery_problems: Vec<String>,
}

/// What the log proves by itself: events at their places, and people.
struct Proved<'a> {
    manifest: Manifest,
    key: &'a VerifierKey,
    /// Of the root, in this life of the log.
    versions: Versions<'a>,
    checkpoint: SignedCheckpoint,
    witnessed: Option<Witnessed>,
    contents: Contents,
    streams: Streams,
    case: Case,
    directories: Directories,
}

/// What policy had to say.
struct Judged {
    verdicts: Vec<Verdict>,
    entitlement: Option<Entitlement>,
}

impl Judged {
    /// The verdict of the request phase.
    fn first(&self, case: &Case) -> Option<&Verdict> {
        let index = case.request_phase()?.index;
        self.verdicts.iter().find(|verdict| verdict.judged.index == index)
    }
}

impl<'a> Examination<'a> {
    pub fn new(files: &'a BundleFiles, lineage: &'a Lineage, options: &'a Options<'a>) -> Self {
        let (run, story) = (Runner::default(), Story::default());
        let (later, not_proved, recovery_problems) = (Vec::new(), Vec::new(), Vec::new());
        Self { files, lineage, options, run, story, later, not_proved, recovery_problems }
    }

    /// Everything. The approval comes back when nothing that it needs was missing; whether a check failed beside
    /// is for the caller to see.
    pub fn run(&mut self) -> Option<Logged<Approved>> {
        let proved = self.proved()?;
        self.story = Story::begin(&proved.streams, &proved.case);
        let asking =
            self.run.record(CheckName::RequestDigest, requester::request_digest(self.files, &proved.case));
        let Some(asking) = asking else {
            self.policy_chain(&proved);
            let witnessed = proved.witnessed.as_ref();
            self.not_proved = limits::not_proved(self.options, witnessed, None, &proved.streams);
            return None;
        };
        self.requester(&proved, &asking);
        self.policy_chain(&proved);
        let judged = self.judged(&proved, &asking);
        let verified = self.decisions(&proved, &judged);
        self.passkeys(&proved, &judged, &verified);
        self.recovery_wait(&proved);
        let seats = self.approval(&proved, &asking, &judged, &verified);
        let certificates = self.leases(&proved, &asking, &judged);
        self.attestations(&proved, &certificates);
        self.story.decided(&proved.case, &verified);
        self.disclosures(&proved, &asking, &judged);
        self.newer(&proved, &verified);
        drop(verified);
        let entitlement = judged.entitlement.as_ref();
        let witnessed = proved.witnessed.as_ref();
        let limits = limits::not_proved(self.options, witnessed, entitlement, &proved.streams);
        self.not_proved.splice(0..0, limits);
        self.tell(&proved, &asking, &judged, seats.as_ref());
        approved(proved, asking, judged, seats)
    }

    /// Container, trust root, log, streams and people.
    fn proved(&mut self) -> Option<Proved<'a>> {
        let (files, root) = (self.files, self.lineage.newest());
        self.run.record(CheckName::Container, container::container(files));
        let manifest = self.run.record(CheckName::Manifest, container::manifest(files))?;
        self.run.record(CheckName::FileDigests, container::file_digests(files, &manifest));
        let life = limits::trust_root(self.lineage, &manifest, self.options.now);
        let (key, mut versions) = self.run.record(CheckName::TrustRoot, life)?;
        let checkpoint = log::checkpoint_signature(files, &manifest, key, root);
        let checkpoint = self.run.record(CheckName::CheckpointSignature, checkpoint)?;
        let witnessed = log::witness_policy(&checkpoint, root.witness_policy());
        let witnessed = self.run.record(CheckName::WitnessPolicy, witnessed);
        let leaves = log::leaf_inclusion(files, &manifest, &checkpoint);
        let leaves = self.run.record(CheckName::LeafInclusion, leaves)?;
        let contents = self.run.record(CheckName::LeafEncoding, log::leaf_encoding(&leaves))?;
        let streams = streams::stream_continuity(&manifest, &leaves, &contents);
        let streams = self.run.record(CheckName::StreamContinuity, streams)?;
        self.run.record(CheckName::LogTime, Finding::of(log_time::log_time(&contents)));
        let case = lifecycle::stream_lifecycle(&manifest.request, &manifest.request_sha256, &streams.request);
        let case = self.run.record(CheckName::StreamLifecycle, case)?;
        limits::in_force(&mut versions, &streams);
        let chain = people::identity_chain(&versions, &streams, &contents);
        let people = self.run.record(CheckName::IdentityChain, chain)?;
        let people::People { directories, recovery_problems } = people;
        self.recovery_problems = recovery_problems;
        let late = limits::expired_before(&versions, &streams);
        for problem in
            late.into_iter().chain(limits::sealed_otherwise(self.lineage, &manifest.origin, &streams))
        {
            self.run.add_problem(CheckName::TrustRoot, problem);
        }
        Some(Proved { manifest, key, versions, checkpoint, witnessed, contents, streams, case, directories })
    }

    fn context<'b>(&self, proved: &'b Proved<'_>, index: u64, at: Timestamp) -> Context<'b>
    where
        'a: 'b,
    {
        Context {
            log_origin: proved.versions.newest().log_origin(),
            relying_party: proved.versions.newest().relying_party(),
            directory: proved.directories.before(index),
            at,
        }
    }

    fn requester(&mut self, proved: &Proved<'_>, asking: &Asking) {
        let submitted = &proved.case.submitted;
        let context = self.context(proved, submitted.index, submitted.at);
        let signed = requester::signed(&proved.case, asking, &context);
        self.run.record(CheckName::RequesterSignature, requester::requester_signature(&signed));
        self.recovery_problems.extend(requester::recovery_problem(&proved.case, &signed));
        match requester::beneficiary_possession(&proved.case, asking, &signed) {
            Some(finding) => {
                self.run.record(CheckName::BeneficiaryPossession, finding);
            }
            None => self.run.skip(CheckName::BeneficiaryPossession, "the request names no key"),
        }
    }

    fn policy_chain(&mut self, proved: &Proved<'_>) {
        let judged = &proved.case.judged;
        let (contents, directories) = (&proved.contents, &proved.directories);
        let chain = policy_chain::policy_chain(
            &proved.streams.policy,
            judged,
            contents,
            directories,
            &proved.versions,
        );
        self.run.record(CheckName::PolicyChain, chain);
    }

    /// Policy files, entitlement, verdicts, and the verdicts once more.
    fn judged(&mut self, proved: &Proved<'_>, asking: &Asking) -> Judged {
        let case = &proved.case;
        let own = KeptPolicy::default();
        let with_rules = self.options.require_replay || !self.options.without_replay;
        let kept = with_rules.then(|| self.options.policy.unwrap_or(&own));
        let policy = match case.request_phase() {
            Some(judged) => {
                verdict::policy_digest(self.files, judged, &asking.document.entitlement.name, kept)
            }
            None => Finding::fail("no verdict names a policy"),
        };
        let policy = self.run.record(CheckName::PolicyDigest, policy);
        let entitlement = policy.as_ref().and_then(|policy| {
            self.run.record(CheckName::EntitlementDigest, verdict::entitlement_digest(asking, policy))
        });
        let digests =
            verdict::verdict_digest(self.files, case, asking, entitlement.as_ref(), &proved.directories);
        let verdicts = self.run.record(CheckName::VerdictDigest, digests).unwrap_or_default();
        for problem in policy_chain::engines(&proved.streams.policy, &verdicts, &proved.versions) {
            self.run.add_problem(CheckName::PolicyChain, problem);
        }
        match policy.map(|policy| policy.engine) {
            Some(Some(engine)) => {
                let (run, required) = (&mut self.run, self.options.require_replay);
                verdict::verdict_replay(run, self.files, engine, &verdicts, required);
            }
            Some(None) => self.run.skip(CheckName::VerdictReplay, "it was not asked for"),
            None => {}
        }
        Judged { verdicts, entitlement }
    }

    fn decisions<'p>(&mut self, proved: &'p Proved<'_>, judged: &Judged) -> Vec<Verified<'p>> {
        let case = &proved.case;
        if case.decisions.is_empty() {
            self.run.skip(CheckName::DecisionSignatures, "nobody decided");
            self.run.skip(CheckName::DecisionSubject, "nobody decided");
            return Vec::new();
        }
        let context = self.context(proved, 0, case.submitted.at);
        let decisions::Examined { verified, signature_problems, mut subject_problems, recovery_problems } =
            decisions::examine(case, &proved.directories, &context);
        self.recovery_problems.extend(recovery_problems);
        let first = judged.first(case).map(|verdict| &verdict.document);
        subject_problems.extend(decisions::decision_subject(
            case,
            &verified,
            first,
            proved.checkpoint.root(),
        ));
        self.run.record(CheckName::DecisionSignatures, Finding::of(signature_problems));
        self.run.record(CheckName::DecisionSubject, Finding::of(subject_problems));
        verified
    }

    /// What made the passkeys, where policy demands to know.
    fn passkeys(&mut self, proved: &Proved<'_>, judged: &Judged, verified: &[Verified<'_>]) {
        let registrations = Registrations::of(&proved.streams);
        let mut problems = registrations.file_problems(self.files);
        let demanded =
            judged.verdicts.iter().any(|said| said.document.obligations.contains(HARDWARE_PASSKEY));
        if demanded {
            problems.extend(registrations.signers(self.files, &proved.versions, verified));
        } else if problems.is_empty() {
            self.run.skip(CheckName::PasskeyAttestation, "policy demanded no hardware");
            return;
        }
        self.run.record(CheckName::PasskeyAttestation, Finding::of(problems));
    }

    /// Signatures by keys of a recovery that did not count, wherever they were found.
    fn recovery_wait(&mut self, proved: &Proved<'_>) {
        let problems = std::mem::take(&mut self.recovery_problems);
        self.run.record(CheckName::RecoveryWait, Finding::of(problems));
        self.not_proved.extend(people::recoveries(&proved.streams));
    }

    /// Quorum, clocks and floor.
    fn approval(
        &mut self,
        proved: &Proved<'_>,
        asking: &Asking,
        judged: &Judged,
        verified: &[Verified<'_>],
    ) -> Option<Seating> {
        let case = &proved.case;
        let Some(first) = judged.first(case) else {
            for name in [CheckName::Quorum, CheckName::ApprovalTime, CheckName::Floor] {
                self.run.skip(name, "needs `verdict-digest`");
            }
            return None;
        };
        let verdict = &first.document;
        let last_counted = decisions::last_counted(case, verified, verdict, &proved.directories);
        self.run.record(
            CheckName::ApprovalTime,
            Finding::of(clocks::approval_time(case, asking, verdict, &judged.verdicts, last_counted)),
        );
        let Some(approved) = &case.approved else {
            self.run.skip(CheckName::Quorum, "it was not approved");
            self.run.skip(CheckName::Floor, "it was not approved");
            return None;
        };
        let mut seats = decisions::quorum(case, approved, verified, verdict, &proved.directories);
        let filled = &approved.event.seats;
        seats.problems.extend(again::asked_again(case, filled, &judged.verdicts, &proved.directories));
        seats.problems.extend(again::unknown_obligations(&judged.verdicts));
        let seats = self.run.record(CheckName::Quorum, seats);
        let floor = limits::floors(&proved.versions, case, asking, verdict, approved);
        self.run.record(CheckName::Floor, floor);
        seats
    }

    fn leases(
        &mut self,
        proved: &Proved<'_>,
        asking: &Asking,
        judged: &Judged,
    ) -> BTreeMap<LeaseId, CertificateFacts> {
        let case = &proved.case;
        let given = self.files.keys().any(|path| path.starts_with(crate::bundle::layout::CREDENTIAL_PREFIX));
        if case.intended.is_empty() && !given {
            self.run.skip(CheckName::LeaseIntended, "no credential was announced");
            return BTreeMap::new();
        }
        let scopes = |verdict: &'_ Verdict| verdict.document.constraints.scopes.clone();
        let allowing = judged.verdicts.iter().filter(|said| said.document.verdict != PolicyOutcome::Deny);
        let all: Vec<_> = allowing.map(scopes).collect();
        let entitlement = judged.entitlement.as_ref();
        let terms = judged.first(case).map(scopes).ok_or_else(|| "no verdict sets its scopes".to_owned());
        let terms = terms.and_then(|first| lease::certificate_terms(entitlement, asking, &first, &all));
        let granted = Granted { case, asking, terms, versions: &proved.versions };
        let mut problems = granted.announcements();
        let (certificates, found) = granted.certificates(self.files, self.options.certificates);
        problems.extend(found);
        self.run.record(CheckName::LeaseIntended, Finding::of(problems));
        certificates
    }

    fn attestations(&mut self, proved: &Proved<'_>, certificates: &BTreeMap<LeaseId, CertificateFacts>) {
        let attested = Attested {
            files: self.files,
            versions: &proved.versions,
            key: proved.key,
            contents: &proved.contents,
            directories: &proved.directories,
            certificates,
            case: &proved.case,
        };
        let problems = attested.check(&proved.streams);
        let three = [
            (CheckName::AttestationSignatures, problems.signatures),
            (CheckName::AttestationLogEntry, problems.log_entries),
            (CheckName::AttestationContent, problems.contents),
        ];
        for (name, found) in three {
            if problems.count == 0 && found.is_empty() {
                self.run.skip(name, "there are no attestations");
            } else {
                self.run.record(name, Finding::of(found));
            }
        }
    }

    fn disclosures(&mut self, proved: &Proved<'_>, asking: &Asking, judged: &Judged) {
        let found = disclosures::disclosures(self.files, asking, &judged.verdicts, &proved.contents);
        if let Some(disclosed) = self.run.record(CheckName::Disclosures, found) {
            self.story.disclose(&proved.streams, &disclosed);
            if disclosed.withheld > 0 {
                self.not_proved.push(format!(
                    "what stands behind {} commitments: their values were redacted or are withheld",
                    disclosed.withheld
                ));
            }
        }
    }

    fn newer(&mut self, proved: &Proved<'_>, verified: &[Verified<'_>]) {
        let Some(newer) = self.options.newer_log else {
            self.run.skip(CheckName::NewerLog, "no newer log was given");
            return;
        };
        let named = |verified: &Verified<'_>| {
            let checkpoint = &verified.decision.document().checkpoint;
            (checkpoint.size, checkpoint.root, verified.place.recorded.index)
        };
        let named: Vec<(u64, Sha256, u64)> = verified.iter().map(named).collect();
        let held = Held {
            manifest: &proved.manifest,
            checkpoint: &proved.checkpoint,
            root: self.lineage.newest(),
            versions: &proved.versions,
            named: &named,
        };
        self.later = self.run.record(CheckName::NewerLog, held.check(newer)).unwrap_or_default();
    }

    fn tell(&mut self, proved: &Proved<'_>, asking: &Asking, judged: &Judged, seats: Option<&Seating>) {
        let (case, story) = (&proved.case, &mut self.story);
        story.document = Some(asking.document.clone());
        story.request_sha256 = Some(asking.canonical.digest());
        story.title = judged.entitlement.as_ref().map(|entitlement| entitlement.title().to_owned());
        if let Some(first) = judged.first(case) {
            story.verdict = Some(first.document.clone());
            story.verdict_leaf = Some(first.judged.index);
        }
        story.max_seconds = case.judgement.as_ref().map(|judgement| judgement.grant.max_seconds);
        story.grant = case.activated.as_ref().map(|grant| (grant.event.started_at, grant.event.ends_at));
        story.seats = seats.cloned().unwrap_or_default();
        story.leases = leases(case);
    }
}

/// The approval, if everything that it consists of is there.
fn approved(
    proved: Proved<'_>,
    asking: Asking,
    judged: Judged,
    seats: Option<Seating>,
) -> Option<Logged<Approved>> {
    let Proved { case, checkpoint, .. } = proved;
    let first = judged.first(&case)?;
    let (verdict, verdict_sha256) = (first.document.clone(), first.judged.event.verdict_sha256);
    let recorded = case.approved.as_ref()?;
    let index = recorded.index;
    let value = Approved {
        document: asking.document,
        canonical: asking.canonical,
        verdict,
        verdict_sha256,
        entitlement: judged.entitlement?,
        seats: seats?,
        terms: case.judgement.as_ref()?.grant.clone(),
        starts_by: recorded.event.starts_by,
        activated: case.activated.as_ref().map(|activated| activated.event.clone()),
        leases: leases(&case),
        state: case.state,
    };
    Some(Logged::proved(value, checkpoint, index))
}

fn leases(case: &Case) -> Vec<IntendedLease> {
    let status = |lease: &LeaseId| {
        if case.revoked.iter().any(|revoked| revoked.event.lease == *lease) {
            LeaseStatus::Revoked
        } else if case.issued.iter().any(|issued| issued.event.lease == *lease) {
            LeaseStatus::Issued
        } else {
            LeaseStatus::Intended
        }
    };
    let lease = |recorded: &Recorded<LeaseIntended>| IntendedLease {
        intended: recorded.event.clone(),
        index: recorded.index,
        at: recorded.at,
        status: status(&recorded.event.lease),
    };
    case.intended.iter().map(lease).collect()
}
