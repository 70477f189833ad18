//! Decisions: signed by whom, about what, and whether enough of them count.

use std::collections::{BTreeMap, BTreeSet};

use chancery_domain::count;
use chancery_domain::document::{DecisionDocument, DecisionKind};
use chancery_domain::event::Approved;
use chancery_domain::proof::{VerifiedApproval, VerifiedDecision};
use chancery_domain::seats::{self, Seating};
use chancery_domain::state::Asked;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::{Outcome, VerdictDocument};
use chancery_ledger::tree::Root;

use super::check::Finding;
use super::directories::Directories;
use super::lifecycle::{Case, DecisionPlace, reference};
use super::streams::Recorded;
use crate::decision::{DecisionRefusal, verify_recorded_decision};
use crate::signer::Context;
use crate::webauthn::{AuthenticatorData, CounterMove, counter_moved};

/// A decision whose signature stands.
pub(super) struct Verified<'a> {
    pub place: &'a DecisionPlace,
    pub decision: VerifiedDecision,
}

/// What the signatures of all decisions came to: those that stand, and two kinds of problems.
pub(super) struct Examined<'a> {
    pub verified: Vec<Verified<'a>>,
    pub signature_problems: Vec<String>,
    pub subject_problems: Vec<String>,
    /// Those of the signature problems that are of keys of a recovery.
    pub recovery_problems: Vec<String>,
}

/// Verifies every decision of the stream, each against the revision and the people of its moment.
pub(super) fn examine<'a>(case: &'a Case, directories: &Directories, context: &Context<'_>) -> Examined<'a> {
    let mut examined = Examined {
        verified: Vec::new(),
        signature_problems: Vec::new(),
        subject_problems: Vec::new(),
        recovery_problems: Vec::new(),
    };
    for place in &case.decisions {
        let recorded = &place.recorded;
        let context = Context { directory: directories.before(recorded.index), at: recorded.at, ..*context };
        match verify_recorded_decision(&recorded.event, &reference(&place.asked), &context) {
            Ok(decision) => examined.verified.push(Verified { place, decision }),
            Err(refusal) => {
                let problem = format!("leaf {}: {refusal}", recorded.index);
                match refusal {
                    DecisionRefusal::OtherLog(_)
                    | DecisionRefusal::OtherRequest
                    | DecisionRefusal::Nonce
                    | DecisionRefusal::Suspicious
                    | DecisionRefusal::Window
                    | DecisionRefusal::NotYet(_)
                    | DecisionRefusal::Expired(_) => examined.subject_problems.push(problem),
                    DecisionRefusal::Signer(refusal) if refusal.is_of_recovery() => {
                        examined.recovery_problems.push(problem.clone());
                        examined.signature_problems.push(problem);
                    }
                    DecisionRefusal::Document(_)
                    | DecisionRefusal::OtherCredential
                    | DecisionRefusal::Signer(_) => examined.signature_problems.push(problem),
                }
            }
        }
    }
    let copied = suspicious_counters(&examined.verified);
    examined.signature_problems.extend(copied);
    examined
}

/// A device-bound passkey counts its signatures, so one whose count stands still or falls from one decision to the
/// next may have been copied (WebAuthn Level 3 §6.1.1). Synced passkeys report 0 and prove nothing here.
fn suspicious_counters(verified: &[Verified<'_>]) -> Vec<String> {
    let mut counts: BTreeMap<&[u8], u32> = BTreeMap::new();
    let mut problems = Vec::new();
    for Verified { place, .. } in verified {
        let assertion = &place.recorded.event.assertion;
        // What does not parse was not verified.
        let Ok(data) = AuthenticatorData::parse(assertion.authenticator_data.as_bytes()) else { continue };
        if data.backup_eligible() {
            continue;
        }
        let before = counts.insert(assertion.credential_id.as_bytes(), data.sign_count());
        if before.is_some_and(|before| counter_moved(before, data.sign_count()) == CounterMove::Suspicious) {
            let index = place.recorded.index;
            problems.push(format!(
                "leaf {index}: its passkey's counter did not grow: the key may have been copied"
            ));
        }
    }
    problems
}

/// What each verified decision is about, and that none was used twice.
pub(super) fn decision_subject(
    case: &Case,
    verified: &[Verified<'_>],
    verdict: Option<&VerdictDocument>,
    root: &Root,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut nonces = BTreeSet::new();
    for Verified { place, decision } in verified {
        let document = decision.document();
        let said = |problem: &str| format!("leaf {}: {problem}", place.recorded.index);
        if !nonces.insert(document.nonce.clone()) {
            problems.push(said("its nonce was used by an earlier decision"));
        }
        if let Some(judgement) = &place.judgement
            && let Err(refusal) = count::check_subject(document, &place.asked, judgement)
        {
            problems.push(said(&refusal.to_string()));
        }
        if let Some(verdict) = verdict.filter(|_| case.is_current(place)) {
            problems.extend(unknown_stages(document, verdict).into_iter().map(|problem| said(&problem)));
        }
        if let Some(problem) = checkpoint_problem(document, place.recorded.index, root) {
            problems.push(said(&problem));
        }
    }
    problems
}

fn unknown_stages(document: &DecisionDocument, verdict: &VerdictDocument) -> Vec<String> {
    let known =
        |id: &str, quorum: u32| verdict.stages.iter().any(|stage| stage.id == id && stage.quorum == quorum);
    let unknown = document.stages.iter().filter(|stage| !known(&stage.id, stage.quorum));
    unknown
        .map(|stage| format!("it names the seat `{}`, which the verdict does not have so", stage.id))
        .collect()
}

/// A decision comes after the checkpoint that it names. Its root cannot be computed without all leaves: that it
/// is one of this log is checked with the newer log (`newer-log`), or here where sizes are equal.
fn checkpoint_problem(document: &DecisionDocument, index: u64, root: &Root) -> Option<String> {
    let named = &document.checkpoint;
    if named.size > index {
        return Some(format!(
            "it stands at an index below the size {} of the checkpoint that it names",
            named.size
        ));
    }
    let same_size = named.size == root.size();
    (same_size && named.root.as_bytes() != root.hash().as_bytes())
        .then(|| "it names a checkpoint of this size with another root: another log".to_owned())
}

/// Whether the approvals that stand fill every seat, exactly as the log says.
pub(super) fn quorum(
    case: &Case,
    approved: &Recorded<Approved>,
    verified: &[Verified<'_>],
    verdict: &VerdictDocument,
    directories: &Directories,
) -> Finding<Seating> {
    let seats = &approved.event.seats;
    let (asked, Some(judgement)) = (case.state.asked(), &case.judgement) else {
        return Finding::fail("no verdict stands under this approval");
    };
    let mut problems = Vec::new();
    if approved.event.revision != asked.revision {
        problems.push("the approval is of another revision".to_owned());
    }
    let directory = directories.before(approved.index);
    match verdict.verdict {
        Outcome::Deny => problems.push("policy denied what was approved".to_owned()),
        Outcome::Allow if !seats.is_empty() => {
            problems.push("policy allowed it, yet people sit in seats".to_owned())
        }
        Outcome::Allow => {}
        Outcome::RequireApproval => {
            let standing = standing_approvals(case, verified, approved.index);
            let claims = count::claims(&standing, asked, judgement, verdict, directory);
            match seats::fill(&verdict.stages, &claims) {
                None => problems.push(format!(
                    "the {} approvals that count do not fill the seats of {}",
                    claims.len(),
                    stages(verdict)
                )),
                Some(filled) if filled != *seats => {
                    problems.push("other people sit in the seats than the approvals put there".to_owned());
                }
                Some(_) => {}
            }
            problems.extend(rejections(verified, case, asked, verdict, directories, approved.index));
        }
    }
    Finding::with(seats.clone(), problems)
}

/// When the last decision that counts was recorded; `None` where those that count do not fill the seats, which
/// `quorum` says.
pub(super) fn last_counted(
    case: &Case,
    verified: &[Verified<'_>],
    verdict: &VerdictDocument,
    directories: &Directories,
) -> Option<Timestamp> {
    let (approved, judgement) = (case.approved.as_ref()?, case.judgement.as_ref()?);
    let standing = standing_approvals(case, verified, approved.index);
    let directory = directories.before(approved.index);
    let claims = count::claims(&standing, case.state.asked(), judgement, verdict, directory);
    seats::fill(&verdict.stages, &claims)?;
    let counts = |verified: &&Verified<'_>| {
        let document = verified.decision.document();
        document.decision == DecisionKind::Approve
            && case.is_current(verified.place)
            && verified.place.recorded.index < approved.index
            && claims.iter().any(|claim| claim.person == document.approver)
    };
    verified.iter().rfind(counts).map(|verified| verified.place.recorded.at)
}

fn stages(verdict: &VerdictDocument) -> String {
    let each = verdict.stages.iter().map(|stage| format!("`{}` ({})", stage.id, stage.quorum));
    each.collect::<Vec<_>>().join(", ")
}

/// Approvals of the current revision before this index that were not withdrawn, in the order of the log.
fn standing_approvals(case: &Case, verified: &[Verified<'_>], before: u64) -> Vec<VerifiedApproval> {
    let mut standing: Vec<VerifiedApproval> = Vec::new();
    let counted =
        |verified: &&Verified<'_>| case.is_current(verified.place) && verified.place.recorded.index < before;
    for Verified { decision, .. } in verified.iter().filter(counted) {
        match decision.document().decision {
            DecisionKind::Approve => standing.extend(decision.clone().approval()),
            DecisionKind::Withdraw => {
                standing.retain(|approval| *approval.person() != decision.document().approver);
            }
            DecisionKind::Reject
            | DecisionKind::Revoke
            | DecisionKind::Override
            | DecisionKind::BreakGlass => {}
        }
    }
    standing
}

/// One eligible no is final, so there must be none before the approval.
fn rejections(
    verified: &[Verified<'_>],
    case: &Case,
    asked: &Asked,
    verdict: &VerdictDocument,
    directories: &Directories,
    before: u64,
) -> Vec<String> {
    let rejects = |verified: &&Verified<'_>| {
        let (index, document) = (verified.place.recorded.index, verified.decision.document());
        let directory = directories.before(index);
        document.decision == DecisionKind::Reject
            && case.is_current(verified.place)
            && index < before
            && count::check_person(&document.approver, asked, directory).is_ok()
            && !count::eligible_stages(&document.approver, &verdict.stages, asked, directory).is_empty()
    };
    let found = verified.iter().filter(rejects);
    found
        .map(|verified| {
            format!("leaf {}: an eligible person rejected it before", verified.place.recorded.index)
        })
        .collect()
}
