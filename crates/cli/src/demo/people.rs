//! Who takes part: two administrators from the start, then four people whom both let in.

use std::collections::{BTreeMap, BTreeSet};

use chancery_api::enrolment::{Invitation, InvitationRequest, Progress};
use chancery_api::identity::{IdentityOutcome, WaitingActList};
use serde_json::{Map, Value, json};

use super::installation::Installation;
use super::person::Person;
use super::story::{Story, Telling, require};
use crate::failure::Failure;

/// The two who may let people in.
pub struct Administrators {
    /// The first, by the link that `init` left.
    pub first: Person,
    /// The second, invited by the first.
    pub second: Person,
}

/// Everybody.
pub struct Cast {
    /// May let people in.
    pub administrators: Administrators,
    /// Asks.
    pub engineer: Person,
    /// Owns the service.
    pub owner: Person,
    /// Looks after security.
    pub security: Person,
    /// Reads everything.
    pub auditor: Person,
}

/// Enrols the two administrators before anything is sealed.
pub fn enrol_administrators(
    story: &mut Story<'_>,
    installation: &Installation,
) -> Result<Administrators, Failure> {
    story.step("administrators", "Two administrators enrol their passkeys", |tell| {
        let (mut first, waiting) = Person::enrol(installation.url(), "Ada", installation.first_token())?;
        require(waiting.is_none(), "the first administrator has to wait for somebody")?;
        first.sign_in()?;
        tell.say("Ada opens the one-time link that only this machine's owner can read.");
        let invitation = invite(&first, &["identity_admin", "policy_owner"])?;
        let (mut second, waiting) = Person::enrol(installation.url(), "Bo", &invitation.token)?;
        require(waiting.is_none(), "the second administrator has to wait, although nothing is sealed")?;
        second.sign_in()?;
        tell.say("Ada invites Bo. From now on it takes both of them to let anybody in.");
        tell.result(json!({"administrators": [first.id, second.id]}));
        Ok(Administrators { first, second })
    })
}

/// Enrols the four who work here.
pub fn enrol_people(
    story: &mut Story<'_>,
    installation: &Installation,
    administrators: Administrators,
) -> Result<Cast, Failure> {
    story.step("people", "Four people join, each let in by both administrators", |tell| {
        let mut enrol = |name, roles: &[&str]| join(tell, installation, &administrators, name, roles);
        let engineer = enrol("Eve", &["engineer"])?;
        let owner = enrol("Omar", &["service_owner"])?;
        let security = enrol("Sol", &["security"])?;
        let auditor = enrol("Ines", &["auditor"])?;
        let ids = [&engineer, &owner, &security, &auditor].map(|person| json!([person.name, person.id]));
        tell.result(json!({"people": ids}));
        Ok(Cast { administrators, engineer, owner, security, auditor })
    })
}

fn join(
    tell: &mut Telling<'_>,
    installation: &Installation,
    administrators: &Administrators,
    name: &'static str,
    roles: &[&str],
) -> Result<Person, Failure> {
    let invitation = invite(&administrators.first, roles)?;
    let (mut person, enrolment) = Person::enrol(installation.url(), name, &invitation.token)?;
    let enrolment = enrolment.ok_or_else(|| Failure::Fault(format!("{name} was let in by nobody")))?;
    let outcome = let_in(administrators, &enrolment)?;
    require(outcome.status == Progress::Recorded, "two administrators signed and it still waits")?;
    require(outcome.signed_by.len() == 2, "it was recorded without two signatures")?;
    person.sign_in()?;
    tell.say(&format!("{name} ({}): signed for by Ada and Bo, leaf {}", roles.join(", "), leaf(&outcome)));
    Ok(person)
}

/// Both administrators sign the same document.
pub fn let_in(administrators: &Administrators, enrolment: &str) -> Result<IdentityOutcome, Failure> {
    let body = Map::from_iter([("enrolment".to_owned(), Value::from(enrolment))]);
    let outcome = administrators.first.begin_act("person.created", body)?;
    if outcome.status == Progress::Recorded {
        return Ok(outcome);
    }
    let waiting: WaitingActList = administrators.second.client()?.read("/api/v1/identity/waiting")?;
    let act = waiting
        .items
        .into_iter()
        .find(|act| act.document_sha256 == outcome.document_sha256)
        .ok_or_else(|| Failure::Fault("the second administrator does not see what waits".to_owned()))?;
    administrators.second.sign_act(&act.document)
}

/// A one-time link.
pub fn invite(by: &Person, roles: &[&str]) -> Result<Invitation, Failure> {
    let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    by.client()?.send("/api/v1/invitations", &InvitationRequest { roles, attributes: BTreeMap::new() })
}

fn leaf(outcome: &IdentityOutcome) -> String {
    outcome.leaf_index.map_or_else(|| "?".to_owned(), |index| index.to_string())
}
