//! Which approvals count. The server asks before it records, the issuer and every verifier ask again from
//! bytes; all of them through these functions.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::Sha256;

use crate::document::DecisionDocument;
use crate::event::Passkey;
use crate::id::PersonId;
use crate::people::{Directory, Person};
use crate::proof::VerifiedApproval;
use crate::refusal::Refusal;
use crate::seats::{Claim, Seating};
use crate::state::{Asked, Judgement};
use crate::time::Timestamp;
use crate::verdict::{Outcome, Stage, VerdictDocument};

/// Obligation that wants a passkey which cannot be synced.
pub const HARDWARE_PASSKEY: &str = "hardware_passkey";
/// Obligation that wants somebody to look at the grant after it ended.
pub const POST_REVIEW: &str = "post_review";
/// Obligations whose meaning is known. One that nobody understands is one that nobody meets.
pub const KNOWN_OBLIGATIONS: [&str; 2] = [HARDWARE_PASSKEY, POST_REVIEW];

/// The first obligation of a verdict that is not among [`KNOWN_OBLIGATIONS`]; such a verdict grants nothing.
pub fn unknown_obligation(verdict: &VerdictDocument) -> Option<&str> {
    let unknown = |obligation: &&String| !KNOWN_OBLIGATIONS.contains(&obligation.as_str());
    verdict.obligations.iter().find(unknown).map(String::as_str)
}

/// Whether the decision speaks of exactly what stands: revision, verdict, policy and grant.
///
/// # Errors
/// [`Refusal::Changed`], naming the part that differs.
pub fn check_subject(
    document: &DecisionDocument,
    asked: &Asked,
    judgement: &Judgement,
) -> Result<(), Refusal> {
    let request = &document.request;
    let same_request = request.id == asked.id
        && request.revision == asked.revision
        && request.sha256 == asked.request_sha256;
    for (part, same) in [
        ("request", same_request),
        ("verdict", document.verdict_sha256 == judgement.verdict_sha256),
        ("policy", document.policy_sha256 == judgement.policy_sha256),
        ("grant", document.grant == judgement.grant),
    ] {
        if !same {
            return Err(Refusal::Changed(part));
        }
    }
    Ok(())
}

/// Whether a person may decide at all on what was asked.
///
/// # Errors
/// [`Refusal::SelfApproval`] for the requester and the beneficiary, [`Refusal::NotAnActivePerson`].
pub fn check_person<'a>(
    person: &PersonId,
    asked: &Asked,
    directory: &'a Directory,
) -> Result<&'a Person, Refusal> {
    // INVARIANT: said before anything else, so that every path to self-approval ends in one and the same reason.
    if *person == asked.requester || *person == asked.beneficiary {
        return Err(Refusal::SelfApproval);
    }
    check_active(person, directory)
}

/// Whether a person exists and is not suspended.
///
/// # Errors
/// [`Refusal::NotAnActivePerson`].
pub fn check_active<'a>(person: &PersonId, directory: &'a Directory) -> Result<&'a Person, Refusal> {
    let known = directory.person(person).filter(|known| !known.suspended);
    known.ok_or_else(|| Refusal::NotAnActivePerson(person.clone()))
}

/// Whether requester and beneficiary are both active. Out is out at once: nothing is asked, starts or is minted
/// for somebody who was suspended meanwhile.
///
/// # Errors
/// [`Refusal::NotAnActivePerson`], naming the one who is not.
pub fn check_parties(asked: &Asked, directory: &Directory) -> Result<(), Refusal> {
    check_active(&asked.requester, directory)?;
    check_active(&asked.beneficiary, directory)?;
    Ok(())
}

/// Whether the people in the seats are also those whom policy wants when it is asked again, at activation and
/// before each credential. The verdict of the request phase stays what they signed; this one can only tighten.
/// No seats cover a denial.
pub fn seats_cover(seats: &Seating, asked: &Asked, again: &VerdictDocument, directory: &Directory) -> bool {
    let sits_well = |stage: &Stage| {
        let eligible = directory.resolve(&stage.from, &asked.requester);
        let seated = seats.get(&stage.id).map_or(0, |people| people.intersection(&eligible).count());
        u32::try_from(seated).unwrap_or(u32::MAX) >= stage.quorum
    };
    match again.verdict {
        Outcome::Allow => true,
        Outcome::Deny => false,
        Outcome::RequireApproval => again.stages.iter().all(sits_well),
    }
}

/// The stages in which a person may take a seat.
pub fn eligible_stages(
    person: &PersonId,
    stages: &[Stage],
    asked: &Asked,
    directory: &Directory,
) -> BTreeSet<String> {
    let may_sit = |stage: &&Stage| directory.resolve(&stage.from, &asked.requester).contains(person);
    stages.iter().filter(may_sit).map(|stage| stage.id.clone()).collect()
}

/// For each stage, the people who may take a seat in it: the selector's people without requester and beneficiary,
/// and where hardware is obliged without those who have none.
pub fn eligible_people(
    verdict: &VerdictDocument,
    asked: &Asked,
    directory: &Directory,
) -> BTreeMap<String, BTreeSet<PersonId>> {
    let people = |stage: &Stage| {
        let mut people = directory.resolve(&stage.from, &asked.requester);
        people.remove(&asked.requester);
        people.remove(&asked.beneficiary);
        people.retain(|person| directory.person(person).is_some_and(|known| able(known, verdict)));
        (stage.id.clone(), people)
    };
    verdict.stages.iter().map(people).collect()
}

/// Whether a person has any key that meets the verdict's obligations.
fn able(person: &Person, verdict: &VerdictDocument) -> bool {
    !verdict.obligations.contains(HARDWARE_PASSKEY) || person.passkeys.values().any(Passkey::is_hardware)
}

/// Whether the key that signed meets the verdict's obligations.
///
/// # Errors
/// [`Refusal::HardwarePasskeyNeeded`] for a synced, unattested or unknown key where hardware is obliged.
pub fn check_key(
    person: &Person,
    credential_id_sha256: &Sha256,
    verdict: &VerdictDocument,
) -> Result<(), Refusal> {
    if !verdict.obligations.contains(HARDWARE_PASSKEY) {
        return Ok(());
    }
    match passkey(person, credential_id_sha256) {
        Some(key) if key.is_hardware() => Ok(()),
        Some(_) | None => Err(Refusal::HardwarePasskeyNeeded),
    }
}

/// Whether the key that signed had waited its day, if it came by a recovery.
///
/// # Errors
/// [`Refusal::RecoveryWaiting`], saying from when on it counts.
pub fn check_wait(person: &Person, credential_id_sha256: &Sha256, at: Timestamp) -> Result<(), Refusal> {
    person.waits_until(credential_id_sha256, at).map_or(Ok(()), |from| Err(Refusal::RecoveryWaiting(from)))
}

/// The person's passkey of this digest, while it is theirs.
fn passkey<'a>(person: &'a Person, credential_id_sha256: &Sha256) -> Option<&'a Passkey> {
    let signed = |key: &&Passkey| Sha256::of(key.credential_id.as_bytes()) == *credential_id_sha256;
    person.passkeys.values().find(signed)
}

/// The claims of all approvals that count, in their order. What does not count is left out, never an error:
/// a role or a passkey taken away makes an approval worthless at once.
pub fn claims(
    approvals: &[VerifiedApproval],
    asked: &Asked,
    judgement: &Judgement,
    verdict: &VerdictDocument,
    directory: &Directory,
) -> Vec<Claim> {
    let counted = |approval: &VerifiedApproval| {
        let document = approval.document();
        check_subject(document, asked, judgement).ok()?;
        let person = check_person(approval.person(), asked, directory).ok()?;
        passkey(person, &document.credential_id_sha256)?;
        check_wait(person, &document.credential_id_sha256, document.issued_at).ok()?;
        check_key(person, &document.credential_id_sha256, verdict).ok()?;
        let eligible = eligible_stages(approval.person(), &verdict.stages, asked, directory);
        // INVARIANT: a decision fills only seats that it names, as they were shown.
        let shown = |stage: &&Stage| {
            document.stages.iter().any(|seen| seen.id == stage.id && seen.quorum == stage.quorum)
        };
        let named = verdict.stages.iter().filter(shown).map(|stage| stage.id.clone());
        let stages = named.filter(|stage| eligible.contains(stage)).collect();
        Some(Claim { person: approval.person().clone(), stages })
    };
    approvals.iter().filter_map(counted).collect()
}
