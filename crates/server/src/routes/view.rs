//! Small views that several routes show.

use std::collections::{BTreeMap, BTreeSet};

use chancery_api::alert::AlertView;
use chancery_api::grant::LeaseView;
use chancery_api::passkey::{CredentialDescriptor, PasskeyView};
use chancery_api::person::{PersonReference, PersonView};
use chancery_api::recovery::RecoveryView;
use chancery_api::request::{RequestSummary, StageView};
use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_url;
use chancery_domain::alerts::Alert;
use chancery_domain::count;
use chancery_domain::document::DecisionKind;
use chancery_domain::event::{AlertReason, Passkey};
use chancery_domain::id::{AlertId, LeaseId, PersonId};
use chancery_domain::people::{IDENTITY_ADMIN, Person};
use chancery_domain::refusal::Refusal;
use chancery_domain::state::{Decided, Lease, LeaseStatus, State};
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Stage;
use chancery_store::RequestRow;

use crate::app::load_request::LoadedRequest;
use crate::app::summarise_request::Summary;
use crate::app::{App, Snapshot};

/// A passkey, as options name it.
pub fn descriptor(passkey: &Passkey) -> CredentialDescriptor {
    let id = encode_url(passkey.credential_id.as_bytes());
    CredentialDescriptor { credential_type: "public-key".to_owned(), id }
}

/// A passkey, as others see it.
pub fn passkey(passkey: &Passkey) -> PasskeyView {
    let hex = |byte: &u8| format!("{byte:02x}");
    PasskeyView {
        credential_id: encode_url(passkey.credential_id.as_bytes()),
        credential_id_sha256: Sha256::of(passkey.credential_id.as_bytes()).to_hex(),
        aaguid: passkey.aaguid.as_bytes().iter().map(hex).collect(),
        backup_eligible: passkey.backup_eligible,
        attested: passkey.attestation_sha256.is_some(),
    }
}

/// A person, in a sentence.
pub fn reference(person: &PersonId, people: &Snapshot) -> PersonReference {
    PersonReference { person: person.to_string(), name: people.name(person).map(str::to_owned) }
}

/// Several.
pub fn references<'a>(
    persons: impl IntoIterator<Item = &'a PersonId>,
    people: &Snapshot,
) -> Vec<PersonReference> {
    persons.into_iter().map(|person| reference(person, people)).collect()
}

/// A person of the directory.
pub fn person(known: &Person, people: &Snapshot, now: Timestamp) -> PersonView {
    PersonView {
        person: known.id.to_string(),
        name: people.name(&known.id).map(str::to_owned),
        roles: known.roles.clone(),
        attributes: known.attributes.clone(),
        passkeys: known.passkeys.values().map(passkey).collect(),
        suspended: known.suspended,
        recovery: recovery(known, now),
    }
}

/// The recovery that can still be stopped.
pub fn recovery(known: &Person, now: Timestamp) -> Option<RecoveryView> {
    let running = known.running_recovery(now)?;
    Some(RecoveryView {
        credential_id: encode_url(running.credential_id.as_bytes()),
        counts_from: running.counts_from.to_string(),
        lost: running.lost.values().map(passkey).collect(),
    })
}

/// A stage, with who may sit and who approved for it.
pub fn stage(
    stage: &Stage,
    eligible: &BTreeMap<String, BTreeSet<PersonId>>,
    approved: &BTreeMap<String, BTreeSet<PersonId>>,
    filled: bool,
    people: &Snapshot,
) -> StageView {
    let of = |by_stage: &BTreeMap<String, BTreeSet<PersonId>>| {
        references(by_stage.get(&stage.id).into_iter().flatten(), people)
    };
    StageView {
        id: stage.id.clone(),
        quorum: stage.quorum,
        after: stage.after.iter().cloned().collect(),
        eligible: of(eligible),
        approved_by: of(approved),
        filled,
    }
}

/// A credential.
pub fn lease(id: &LeaseId, lease: &Lease) -> LeaseView {
    let status = match lease.status {
        LeaseStatus::Intended => "intended",
        LeaseStatus::Issued => "issued",
        LeaseStatus::Revoked => "revoked",
    };
    LeaseView {
        lease: id.to_string(),
        status: status.to_owned(),
        serial: lease.serial.clone(),
        not_after: lease.not_after.to_string(),
    }
}

/// Title of an entitlement; its name, when the active bundle has it no more.
pub fn title(app: &App, entitlement: &str) -> String {
    let known = app.policy.bundle().entitlement(entitlement);
    known.map_or(entitlement, |known| known.title()).to_owned()
}

/// An alert.
pub fn alert(id: &AlertId, alert: &Alert, people: &Snapshot) -> AlertView {
    let reason = match alert.raised.reason {
        AlertReason::SuspiciousRequest => "suspicious_request",
        AlertReason::NumberMismatch => "number_mismatch",
    };
    let acknowledged = alert.acknowledged.as_ref();
    AlertView {
        id: id.to_string(),
        reason: reason.to_owned(),
        request: alert.raised.request.to_string(),
        revision: alert.raised.revision,
        requester: reference(&alert.raised.requester, people),
        raised_by: reference(&alert.raised.person, people),
        raised_at: alert.raised_at.to_string(),
        freezes: alert.freezes(),
        acknowledged_by: acknowledged.map(|(person, _)| reference(person, people)),
        acknowledged_at: acknowledged.map(|(_, at)| at.to_string()),
    }
}

/// A line of a list.
pub fn summary(row: &RequestRow, people: &Snapshot, app: &App) -> RequestSummary {
    let summary = Summary::of(row);
    let tier = if summary.tier.is_empty() { "unknown".to_owned() } else { summary.tier };
    RequestSummary {
        id: row.id.to_string(),
        version: row.version,
        state: row.state.clone(),
        revision: row.revision,
        entitlement: row.entitlement.clone(),
        requester: reference(&row.requester, people),
        beneficiary: reference(&row.beneficiary, people),
        title: title(app, &row.entitlement),
        subject: row.subject.clone(),
        risk_score: row.risk_score,
        tier,
        grant_seconds: row.grant_seconds,
        waiting_for: summary.waiting_for,
        created_at: row.created_at.to_string(),
        updated_at: row.updated_at.to_string(),
        due_at: row.due_at.map(|at| at.to_string()),
    }
}

/// Whether a decision is open to a person, as far as can be said before it is signed. The domain decides again.
pub fn may_decide(
    loaded: &LoadedRequest,
    person: &PersonId,
    kind: DecisionKind,
    people: &Snapshot,
) -> Result<(), Refusal> {
    let (asked, directory) = (loaded.asked(), people.directory());
    let wrong_state = || Refusal::WrongState { state: loaded.state.name() };
    let approved_by_them = |decisions: &[Decided]| {
        decisions.iter().any(|one| one.person == *person && one.decision == DecisionKind::Approve)
    };
    match kind {
        DecisionKind::Approve | DecisionKind::Reject => {
            count::check_person(person, asked, directory)?;
            let State::Pending(pending) = &loaded.state else { return Err(wrong_state()) };
            let stages = &loaded.standing_verdict.stages;
            if count::eligible_stages(person, stages, asked, directory).is_empty() {
                let named = stages.iter().map(|stage| stage.id.as_str()).collect::<Vec<_>>().join(", ");
                return Err(Refusal::NotEligible { person: person.clone(), stages: named });
            }
            match pending.decisions.iter().any(|one| one.person == *person) {
                true => Err(Refusal::AlreadyDecided(person.clone())),
                false => Ok(()),
            }
        }
        DecisionKind::Withdraw => match &loaded.state {
            State::Pending(pending) if approved_by_them(&pending.decisions) => Ok(()),
            State::Approved(approved) if approved_by_them(&approved.decisions) => Ok(()),
            State::Pending(_) | State::Approved(_) => Err(Refusal::NothingToWithdraw(person.clone())),
            State::Evaluating(_)
            | State::Denied(_)
            | State::Active(_)
            | State::Unknown(_)
            | State::RollingBack(_)
            | State::Ended(_) => Err(wrong_state()),
        },
        DecisionKind::Revoke => match &loaded.state {
            State::Approved(_) | State::Active(_) | State::Unknown(_) => may_revoke(loaded, person, people),
            State::Evaluating(_)
            | State::Denied(_)
            | State::Pending(_)
            | State::RollingBack(_)
            | State::Ended(_) => Err(wrong_state()),
        },
        DecisionKind::Override | DecisionKind::BreakGlass => Err(Refusal::DecisionNotPossible),
    }
}

fn may_revoke(loaded: &LoadedRequest, person: &PersonId, people: &Snapshot) -> Result<(), Refusal> {
    let (asked, stages) = (loaded.asked(), &loaded.standing_verdict.stages);
    let known = people.active(person).ok_or_else(|| Refusal::NotAnActivePerson(person.clone()))?;
    let party = *person == asked.requester || *person == asked.beneficiary;
    let may_sit = !count::eligible_stages(person, stages, asked, people.directory()).is_empty();
    let seated = match &loaded.state {
        State::Approved(approved) => Some(&approved.seats),
        State::Active(active) | State::Unknown(active) => Some(&active.approved.seats),
        State::Evaluating(_)
        | State::Denied(_)
        | State::Pending(_)
        | State::RollingBack(_)
        | State::Ended(_) => None,
    };
    let seated = seated.into_iter().flatten().any(|(_, people)| people.contains(person));
    if party || may_sit || seated || known.roles.contains(IDENTITY_ADMIN) {
        return Ok(());
    }
    Err(Refusal::NotEligible { person: person.clone(), stages: "revoking this grant".into() })
}
