//! How people come in: a one-time link, a passkey, and before the seal nothing more; after it two administrators.

use std::collections::{BTreeMap, BTreeSet};

use chancery_api::enrolment::{
    EnrolmentOptions, EnrolmentOptionsRequest, EnrolmentOutcome, EnrolmentRequest, Invitation,
    InvitationRequest, Progress,
};
use chancery_api::passkey::{CreationOptions, Registration};
use chancery_canonical::Disclosure;
use chancery_domain::event::{IdentityEvent, Passkey, PersonCreated, to_parts};
use chancery_domain::id::PersonId;
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::people::IDENTITY_ADMIN;
use chancery_domain::signature::Authority;
use chancery_domain::time::Timestamp;
use chancery_store::{Append, Document, NewEvent, Store as _, StreamAppend, Ticket, TicketKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::draft_request::{check_text, digest_text};
use super::{App, Snapshot};
use crate::problem::Problem;
use crate::random::token_key;

/// Sorts of tickets.
pub(super) const INVITATION: &str = "invitation";
/// A passkey that waits for signatures.
pub const ENROLMENT: &str = "enrolment";

/// How long a passkey waits for signatures: a week.
const WAITING_SECONDS: u64 = 7 * 24 * 3600;
/// Longest name of a person, in characters.
const MAX_NAME: usize = 100;
/// Most roles, and most attributes, in one invitation.
const MAX_LISTED: usize = 32;

/// What an invitation promises. Its token is known to the invited alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invited {
    /// The id that the person will have.
    pub person: PersonId,
    /// Roles to start with.
    pub roles: BTreeSet<String>,
    /// Attributes to start with.
    pub attributes: BTreeMap<String, String>,
    /// Who invited; absent for a link that was made on the server's own host.
    pub invited_by: Option<PersonId>,
    /// Whether the person is here already, and lost their keys.
    #[serde(default)]
    pub recovers: bool,
}

/// A passkey that waits for signatures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WaitingPasskey {
    /// `person.created`, `passkey.enrolled` or `person.recovered`.
    pub act: String,
    /// Whose.
    pub person: PersonId,
    /// The key.
    pub passkey: Passkey,
    /// Salted name, for a new person.
    pub name: Option<Disclosure>,
    /// Roles to start with.
    pub roles: BTreeSet<String>,
    /// Attributes to start with.
    pub attributes: BTreeMap<String, String>,
    /// Who invited.
    pub invited_by: Option<PersonId>,
}

/// The ticket of an invitation, for `init` and for administrators.
pub fn invitation_ticket(token: &str, invited: &Invited, expires_at: Timestamp) -> Ticket {
    let value = json!(invited);
    Ticket { kind: INVITATION.to_owned(), key: token_key(token), value, expires_at }
}

impl App {
    /// An administrator invites.
    pub(crate) async fn invite(
        &self,
        actor: &PersonId,
        asked: InvitationRequest,
    ) -> Result<Invitation, Problem> {
        self.administrator(actor)?;
        check_listed(&asked.roles, &asked.attributes)?;
        let invited = Invited {
            person: self.random.person_id()?,
            roles: asked.roles,
            attributes: asked.attributes,
            invited_by: Some(actor.clone()),
            recovers: false,
        };
        self.make_link(&invited).await
    }

    /// A one-time link that nobody knows before.
    pub(super) async fn make_link(&self, invited: &Invited) -> Result<Invitation, Problem> {
        let token = self.random.token()?;
        let expires_at = self.now().plus(self.config.limits.invitation_seconds);
        self.store.put_ticket(invitation_ticket(&token, invited, expires_at)).await?;
        let url = format!("{}/enrol#{token}", self.config.public_url);
        Ok(Invitation { url, token, expires_at: expires_at.to_string() })
    }

    /// Refuses whoever is not an identity administrator.
    pub(crate) fn administrator(&self, actor: &PersonId) -> Result<(), Problem> {
        let people = self.people.now();
        match people.active(actor) {
            Some(person) if person.roles.contains(IDENTITY_ADMIN) => Ok(()),
            Some(_) | None => Err(Problem::forbidden("only an identity administrator may do this")),
        }
    }

    /// What to make a passkey with.
    pub(crate) async fn offer_enrolment(
        &self,
        asked: &EnrolmentOptionsRequest,
    ) -> Result<EnrolmentOptions, Problem> {
        let invited = self.invited(&asked.token).await?;
        let people = self.people.now();
        let known = people.name(&invited.person).filter(|_| invited.recovers);
        let name = known.or(asked.name.as_deref()).unwrap_or("new person");
        check_text("/name", name, MAX_NAME)?;
        let public_key =
            self.creation_options(&token_key(&asked.token), &invited.person, name, Vec::new()).await?;
        let genesis = self.trusted().is_none();
        Ok(EnrolmentOptions {
            public_key,
            person: invited.person.to_string(),
            genesis,
            recovers: invited.recovers,
            name: known.map(str::to_owned),
            roles: starting_roles(&invited, genesis),
            attributes: invited.attributes,
        })
    }

    /// Enrols at once before the seal, and after it lets the passkey wait for administrators.
    pub(crate) async fn enrol(&self, asked: &EnrolmentRequest) -> Result<EnrolmentOutcome, Problem> {
        self.notice_trust().await?;
        let invited = self.invited(&asked.token).await?;
        check_text("/name", &asked.name, MAX_NAME)?;
        let (passkey, registration) = self.registered(&token_key(&asked.token), &asked.registration).await?;
        if invited.recovers {
            return self.let_recovery_wait(invited, (passkey, registration), &asked.token).await;
        }
        let name = Disclosure::new(&self.random.bytes()?, "name", Value::from(asked.name.as_str()));
        let name = name.map_err(|error| Problem::member("/name", error))?;
        // Nobody may be let in as genesis while the root is being sealed.
        let turn = self.sealing.lock().await;
        let person = invited.person.to_string();
        if self.trusted().is_none() {
            self.enrol_genesis(invited, passkey, registration, name, &asked.token).await?;
            return Ok(EnrolmentOutcome { status: Progress::Recorded, person, enrolment: None });
        }
        drop(turn);
        let waiting = WaitingPasskey {
            act: "person.created".to_owned(),
            person: invited.person,
            passkey,
            name: Some(name),
            roles: invited.roles,
            attributes: invited.attributes,
            invited_by: invited.invited_by,
        };
        let used = TicketKey { kind: INVITATION.to_owned(), key: token_key(&asked.token) };
        let enrolment = self.let_wait(&waiting, registration, Some(used)).await?;
        Ok(EnrolmentOutcome { status: Progress::Waiting, person, enrolment: Some(enrolment) })
    }

    /// A further passkey for a person who is here: it waits for a signature of their own.
    pub(crate) async fn offer_passkey(&self, actor: &PersonId) -> Result<CreationOptions, Problem> {
        let people = self.people.now();
        let known = people.active(actor).ok_or_else(|| Problem::not_found("person"))?;
        let exclude = known.passkeys.values().map(crate::routes::view::descriptor).collect();
        let name = people.name(actor).unwrap_or("passkey").to_owned();
        self.creation_options(&further_key(actor), actor, &name, exclude).await
    }

    /// Takes a further passkey.
    pub(crate) async fn add_passkey(
        &self,
        actor: &PersonId,
        registration: &Registration,
    ) -> Result<EnrolmentOutcome, Problem> {
        self.sealed()?;
        self.check_waiting_passkeys(actor).await?;
        let (passkey, document) = self.registered(&further_key(actor), registration).await?;
        let waiting = WaitingPasskey {
            act: "passkey.enrolled".to_owned(),
            person: actor.clone(),
            passkey,
            name: None,
            roles: BTreeSet::new(),
            attributes: BTreeMap::new(),
            invited_by: Some(actor.clone()),
        };
        let enrolment = self.let_wait(&waiting, document, None).await?;
        let person = actor.to_string();
        Ok(EnrolmentOutcome { status: Progress::Waiting, person, enrolment: Some(enrolment) })
    }

    /// Holds a person to so many further passkeys that nobody has signed for.
    async fn check_waiting_passkeys(&self, actor: &PersonId) -> Result<(), Problem> {
        let most = self.config.limits.waiting_passkeys_per_person;
        let waiting = self.waiting_passkeys().await?;
        let own = |one: &&(Ticket, WaitingPasskey)| one.1.person == *actor && one.1.act == "passkey.enrolled";
        if waiting.iter().filter(own).count() < most {
            return Ok(());
        }
        let reason =
            format!("{most} passkeys of yours wait for a signature (`limits.waiting_passkeys_per_person`)");
        Err(Problem::too_many("too_many_passkeys", reason, "sign for one of them, or let them lapse"))
    }

    /// A passkey that waits, by the name of its enrolment.
    pub(super) async fn waiting_passkey(
        &self,
        enrolment: &str,
        now: Timestamp,
    ) -> Result<WaitingPasskey, Problem> {
        let key = TicketKey { kind: ENROLMENT.to_owned(), key: enrolment.to_owned() };
        let ticket = self.store.ticket(&key, now).await?;
        let ticket = ticket.ok_or_else(|| Problem::not_found("waiting enrolment"))?;
        serde_json::from_value(ticket.value).map_err(Problem::bug)
    }

    async fn invited(&self, token: &str) -> Result<Invited, Problem> {
        let key = TicketKey { kind: INVITATION.to_owned(), key: token_key(token) };
        let ticket = self.store.ticket(&key, self.now()).await?;
        let ticket = ticket.ok_or_else(|| {
            Problem::refused(
                axum::http::StatusCode::GONE,
                "link_expired",
                "the enrolment link was used before, or its time is over",
                "ask an identity administrator for a new one; for the first, run `chancery init` in an empty folder",
            )
        })?;
        serde_json::from_value(ticket.value).map_err(Problem::bug)
    }

    /// Before the seal: a person with authority `genesis`, who always is an administrator too.
    async fn enrol_genesis(
        &self,
        invited: Invited,
        passkey: Passkey,
        registration: Option<Document>,
        name: Disclosure,
        token: &str,
    ) -> Result<(), Problem> {
        let now = self.now();
        let event = IdentityEvent::Created(PersonCreated {
            person: invited.person.clone(),
            passkey: passkey.clone(),
            roles: starting_roles(&invited, true),
            attributes: invited.attributes,
            concealed: vec![digest_text(&name)],
            authority: Authority::Genesis,
        });
        let (kind, body) = to_parts(&event).map_err(Problem::bug)?;
        let stream = Stream::Identity(invited.person);
        let leaf = EventLeaf { stream, version: 1, previous: None, kind, time: now, body };
        let _changing = self.people.change().await;
        // A change before this one may stand in the log without having been taken in, if a read failed then.
        self.people.follow(&self.store).await?;
        let people = self.people.now();
        refuse_enrolled(&passkey, &people)?;
        // INVARIANT: the chain admits an identity leaf before it is written. The log forgets nothing, and one leaf
        // that is not admitted stops every later start.
        people.chain.clone().admit(u64::MAX, &leaf)?;
        let private = Some(json!({ "disclosures": [name] }));
        let mut append = Append::at(now);
        append.documents.extend(registration);
        append.consume.push(TicketKey { kind: INVITATION.to_owned(), key: token_key(token) });
        append.streams.push(StreamAppend {
            stream: leaf.stream,
            expected_version: 0,
            events: vec![NewEvent { kind: leaf.kind, body: leaf.body, private, attestation: None }],
        });
        self.append(append).await?;
        self.people.follow(&self.store).await?;
        Ok(())
    }

    pub(super) async fn let_wait(
        &self,
        waiting: &WaitingPasskey,
        registration: Option<Document>,
        used: Option<TicketKey>,
    ) -> Result<String, Problem> {
        refuse_enrolled(&waiting.passkey, &self.people.now())?;
        let now = self.now();
        let enrolment = self.random.name(now)?;
        let mut append = Append::at(now);
        append.documents.extend(registration);
        append.consume.extend(used);
        append.remember.push(Ticket {
            kind: ENROLMENT.to_owned(),
            key: enrolment.clone(),
            value: json!(waiting),
            expires_at: now.plus(WAITING_SECONDS),
        });
        self.store.append(append).await?;
        Ok(enrolment)
    }

    /// Passkeys that wait for signatures.
    pub(crate) async fn waiting_passkeys(&self) -> Result<Vec<(Ticket, WaitingPasskey)>, Problem> {
        let tickets = self.store.tickets(ENROLMENT, self.now()).await?;
        let read = |ticket: Ticket| {
            let waiting = serde_json::from_value(ticket.value.clone()).map_err(Problem::bug)?;
            Ok((ticket, waiting))
        };
        tickets.into_iter().map(read).collect()
    }
}

fn refuse_enrolled(passkey: &Passkey, people: &Snapshot) -> Result<(), Problem> {
    if people.directory().owner_of(passkey.credential_id.as_bytes()).is_none() {
        return Ok(());
    }
    Err(Problem::refused(
        axum::http::StatusCode::CONFLICT,
        "passkey_exists",
        "that passkey is enrolled already",
        "sign in with it, or make another",
    ))
}

fn further_key(person: &PersonId) -> String {
    format!("further/{person}")
}

fn starting_roles(invited: &Invited, genesis: bool) -> BTreeSet<String> {
    let mut roles = invited.roles.clone();
    if genesis {
        roles.insert(IDENTITY_ADMIN.to_owned());
    }
    roles
}

fn check_listed(roles: &BTreeSet<String>, attributes: &BTreeMap<String, String>) -> Result<(), Problem> {
    if roles.len() > MAX_LISTED || attributes.len() > MAX_LISTED {
        return Err(Problem::member("", format!("at most {MAX_LISTED} roles and as many attributes")));
    }
    for role in roles {
        check_word("/roles", role)?;
    }
    for (name, value) in attributes {
        check_word("/attributes", name)?;
        check_text(&format!("/attributes/{name}"), value, MAX_NAME)?;
    }
    Ok(())
}

/// Names of roles and attributes: lower-case letters, digits, `_` and `-`.
pub fn check_word(pointer: &str, word: &str) -> Result<(), Problem> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if word.is_empty() || word.len() > 64 || !word.bytes().all(plain) {
        return Err(Problem::member(pointer, "use 1 to 64 lower-case letters, digits, `_` and `-`"));
    }
    Ok(())
}
