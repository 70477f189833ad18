//! Acts on people, keys and roles. An act is offered as a document, collects the signatures that it needs, and is
//! recorded when the chain of people admits it: the same check that every verifier makes.

use chancery_api::enrolment::Progress;
use chancery_api::identity::{
    IdentityOptions, IdentityOptionsRequest, IdentityOutcome, IdentityRequest, WaitingAct,
};
use chancery_canonical::{Canonical, Disclosure};
use chancery_domain::document::{IdentityDocument, IdentityType, Signed as _, challenge};
use chancery_domain::event::{IdentityEvent, from_parts};
use chancery_domain::id::PersonId;
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::people::{Directory, IDENTITY_ADMIN, Person};
use chancery_domain::signature::{Authority, PersonSignature};
use chancery_domain::time::Timestamp;
use chancery_evidence::identity::{IdentityRefusal, MAX_IDENTITY_OFFER_SECONDS, subject_of};
use chancery_store::{Append, NewEvent, Store as _, StoredEvent, StreamAppend, Ticket, TicketKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::draft_request::{check_text, digest_text};
use super::enrol_person::{ENROLMENT, WaitingPasskey, check_word};
use super::{App, Snapshot};
use crate::http::body::parse_member;
use crate::http::convert;
use crate::problem::Problem;

/// Sort of ticket of an act that was offered; its key is the document's digest.
const ACT: &str = "identity_act";

/// An act that was offered, with the signatures that came so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OfferedAct {
    pub document: Canonical,
    pub signatures: Vec<PersonSignature>,
    /// The enrolment that it settles.
    pub enrolment: Option<String>,
    pub disclosures: Vec<Disclosure>,
}

impl App {
    /// Offers an act for signing.
    pub(crate) async fn offer_act(
        &self,
        actor: &PersonId,
        asked: &IdentityOptionsRequest,
    ) -> Result<IdentityOptions, Problem> {
        self.sealed()?;
        let (now, people) = (self.now(), self.people.now());
        let (body, enrolment, disclosures) = self.body(actor, asked, now).await?;
        let document = IdentityDocument {
            document_type: IdentityType::V1,
            log_origin: self.config.log_origin.clone(),
            act: asked.act.clone(),
            body,
            nonce: self.random.token()?,
            issued_at: now,
            expires_at: now.plus(MAX_IDENTITY_OFFER_SECONDS),
        };
        let canonical = document.canonical().map_err(|error| Problem::member("/body", error))?;
        let offered = OfferedAct { document: canonical, signatures: Vec::new(), enrolment, disclosures };
        let needed = self.missing_signatures(&offered, &document, &people, now).await?;
        self.refuse_bystander(actor, &document, &people)?;
        let (_, event) = self.leaf(&offered, &document, now).await?;
        self.keep_administrators(&event, &people, now)?;
        self.put_act(&offered, document.expires_at).await?;
        let signed = challenge::<IdentityDocument>(&offered.document);
        Ok(IdentityOptions {
            document: offered.document.as_str().to_owned(),
            document_sha256: offered.document.digest().to_hex(),
            needed,
            disclosures: offered.disclosures.iter().map(|one| one.as_str().to_owned()).collect(),
            public_key: self.request_options(&signed, actor, &people),
        })
    }

    /// Adds a signature, and records the act when it was the last one needed.
    pub(crate) async fn sign_act(
        &self,
        actor: &PersonId,
        asked: &IdentityRequest,
    ) -> Result<IdentityOutcome, Problem> {
        self.sealed()?;
        let _turn = self.identity_acts.lock().await;
        // A change before this one may stand in the log without having been taken in, if a read failed then.
        self.people.follow(&self.store).await?;
        let document = convert::document("/document", &asked.document)?;
        let assertion = convert::assertion("/assertion", &asked.assertion)?;
        let (now, people) = (self.now(), self.people.now());
        let mut offered = self.offered(&document, now).await?;
        let identity: IdentityDocument =
            document.decode().map_err(|error| Problem::member("/document", error))?;
        offered.signatures.push(PersonSignature { person: actor.clone(), assertion });
        let (leaf, event) = self.leaf(&offered, &identity, now).await?;
        self.keep_administrators(&event, &people, now)?;
        let person = subject_of(&event).clone();
        let mut chain = people.chain.clone();
        let outcome = |status, needed: usize, leaf_index| IdentityOutcome {
            status,
            document_sha256: document.digest().to_hex(),
            person: person.to_string(),
            signed_by: offered.signatures.iter().map(|one| one.person.to_string()).collect(),
            needed: u32::try_from(needed).unwrap_or(u32::MAX),
            leaf_index,
        };
        match chain.admit(u64::MAX, &leaf) {
            Ok(()) => {
                let index = self.record_act(&offered, leaf, now).await?;
                Ok(outcome(Progress::Recorded, offered.signatures.len(), Some(index)))
            }
            // INVARIANT: too few is said only after every signature that is there was verified.
            Err(IdentityRefusal::TooFew { needed, .. }) => {
                self.put_act(&offered, identity.expires_at).await?;
                Ok(outcome(Progress::Waiting, needed, None))
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Acts that somebody signed and that wait for somebody else.
    pub(crate) async fn waiting_acts(&self, reader: &PersonId) -> Result<Vec<WaitingAct>, Problem> {
        let (now, people) = (self.now(), self.people.now());
        let mut waiting = Vec::new();
        for ticket in self.store.tickets(ACT, now).await? {
            let offered: OfferedAct = serde_json::from_value(ticket.value).map_err(Problem::bug)?;
            if offered.signatures.is_empty() {
                continue;
            }
            let identity: IdentityDocument = offered.document.decode().map_err(Problem::bug)?;
            let signed_by: Vec<String> =
                offered.signatures.iter().map(|one| one.person.to_string()).collect();
            let (_, event) = self.leaf(&offered, &identity, now).await?;
            let may_sign = !signed_by.iter().any(|signer| signer == reader.as_str())
                && self.refuse_bystander(reader, &identity, &people).is_ok();
            let signed = challenge::<IdentityDocument>(&offered.document);
            let needed = self.missing_signatures(&offered, &identity, &people, now).await.unwrap_or(0);
            waiting.push(WaitingAct {
                act: identity.act,
                person: subject_of(&event).to_string(),
                document: offered.document.as_str().to_owned(),
                document_sha256: offered.document.digest().to_hex(),
                disclosures: offered.disclosures.iter().map(|one| one.as_str().to_owned()).collect(),
                signed_by,
                needed,
                expires_at: identity.expires_at.to_string(),
                public_key: may_sign.then(|| self.request_options(&signed, reader, &people)),
            });
        }
        Ok(waiting)
    }

    /// The event's body without its authority, from what was asked or from what waits.
    async fn body(
        &self,
        actor: &PersonId,
        asked: &IdentityOptionsRequest,
        now: Timestamp,
    ) -> Result<(Map<String, Value>, Option<String>, Vec<Disclosure>), Problem> {
        match asked.act.as_str() {
            "person.created" | "passkey.enrolled" | "person.recovered" => {
                let enrolment = member(&asked.body, "enrolment")?;
                only(&asked.body, &["enrolment"])?;
                let waiting = self.waiting_passkey(enrolment, now).await?;
                if waiting.act != asked.act || (asked.act == "passkey.enrolled" && waiting.person != *actor) {
                    return Err(Problem::not_found("waiting enrolment"));
                }
                let disclosures = waiting.name.clone().into_iter().collect();
                Ok((enrolled_body(&waiting)?, Some(enrolment.to_owned()), disclosures))
            }
            "role.granted" | "role.removed" => {
                check_word("/body/role", member(&asked.body, "role")?)?;
                plain_body(&asked.body, &["person", "role"])
            }
            "attribute.assigned" => {
                check_word("/body/name", member(&asked.body, "name")?)?;
                check_text("/body/value", member(&asked.body, "value")?, 200)?;
                plain_body(&asked.body, &["person", "name", "value"])
            }
            "passkey.removed" | "recovery.cancelled" => plain_body(&asked.body, &["person", "credential_id"]),
            "person.suspended" | "person.reinstated" => plain_body(&asked.body, &["person"]),
            _ => Err(Problem::member("/act", "is no act on people: see docs/spec/http.md")),
        }
    }

    /// How many people have to sign in all; a refusal of anything else is final.
    async fn missing_signatures(
        &self,
        offered: &OfferedAct,
        document: &IdentityDocument,
        people: &Snapshot,
        now: Timestamp,
    ) -> Result<u32, Problem> {
        let (leaf, _) = self.leaf(offered, document, now).await?;
        match people.chain.clone().admit(u64::MAX, &leaf) {
            Err(IdentityRefusal::TooFew { needed, .. }) => Ok(u32::try_from(needed).unwrap_or(u32::MAX)),
            Err(refusal) => Err(refusal.into()),
            Ok(()) => Ok(u32::try_from(offered.signatures.len()).unwrap_or(u32::MAX)),
        }
    }

    /// Only those are asked to sign who could count; whether they do is for the chain to say.
    fn refuse_bystander(
        &self,
        actor: &PersonId,
        document: &IdentityDocument,
        people: &Snapshot,
    ) -> Result<(), Problem> {
        let administrates = people.active(actor).is_some_and(|known| known.roles.contains(IDENTITY_ADMIN));
        let own = document.body.get("person").and_then(Value::as_str) == Some(actor.as_str());
        let about_oneself =
            ["passkey.enrolled", "passkey.removed", "role.removed", "person.suspended", "recovery.cancelled"];
        let may = match document.act.as_str() {
            "passkey.enrolled" => own,
            "person.recovered" => administrates && !own,
            act if about_oneself.contains(&act) => own || administrates,
            _ => administrates,
        };
        if may { Ok(()) } else { Err(Problem::forbidden("this act is for identity administrators to sign")) }
    }

    /// What leaves too few administrators to let anybody in again cannot be undone by anybody; one may be left where
    /// recovery keys can make another.
    fn keep_administrators(
        &self,
        event: &IdentityEvent,
        people: &Snapshot,
        now: Timestamp,
    ) -> Result<(), Problem> {
        // Whatever it leaves: a recovery that is not theirs can be stopped.
        if matches!(event, IdentityEvent::RecoveryCancelled(_)) {
            return Ok(());
        }
        let sealed = self.sealed()?;
        let document = sealed.root().document();
        let needed = if document.recovery.keys.is_empty() { document.administrators_needed } else { 1 };
        let mut after = people.directory().clone();
        // What does not fit is for the chain to refuse, with its own words.
        if after.evolve(event, now).is_err() {
            return Ok(());
        }
        let (before, left) = (administrators(people.directory()), administrators(&after));
        if left >= before || left >= usize::try_from(needed).unwrap_or(usize::MAX) {
            return Ok(());
        }
        Err(Problem::refused(
            axum::http::StatusCode::CONFLICT,
            "last_administrator",
            format!("it would leave {left} active identity administrators, and trust.json needs {needed}"),
            "give another person the role `identity_admin` first",
        ))
    }

    /// The leaf that the act would be now, and the event in it.
    async fn leaf(
        &self,
        offered: &OfferedAct,
        document: &IdentityDocument,
        now: Timestamp,
    ) -> Result<(EventLeaf, IdentityEvent), Problem> {
        let authority =
            Authority::People { document: offered.document.clone(), signatures: offered.signatures.clone() };
        self.leaf_by(&authority, document, now).await
    }

    /// The leaf that an act would be now by this authority, and the event in it.
    pub(super) async fn leaf_by(
        &self,
        authority: &Authority,
        document: &IdentityDocument,
        now: Timestamp,
    ) -> Result<(EventLeaf, IdentityEvent), Problem> {
        let mut body = document.body.clone();
        body.insert("authority".to_owned(), json!(authority));
        let event: IdentityEvent =
            from_parts(&document.act, &body).map_err(|error| Problem::member("/body", error))?;
        let stream = Stream::Identity(subject_of(&event).clone());
        let before = self.store.stream(&stream, 1).await?;
        let hash = |last: &StoredEvent| {
            chancery_canonical::Sha256::from_bytes(*chancery_ledger::leaf_hash(&last.leaf_bytes).as_bytes())
        };
        let leaf = EventLeaf {
            stream,
            version: (before.len() as u64).saturating_add(1),
            previous: before.last().map(hash),
            kind: document.act.clone(),
            time: now,
            body,
        };
        Ok((leaf, event))
    }

    pub(super) async fn record_act(
        &self,
        offered: &OfferedAct,
        leaf: EventLeaf,
        now: Timestamp,
    ) -> Result<u64, Problem> {
        let mut append = Append::at(now);
        append.consume.push(TicketKey { kind: ACT.to_owned(), key: offered.document.digest().to_hex() });
        if let Some(enrolment) = &offered.enrolment {
            append.consume.push(TicketKey { kind: ENROLMENT.to_owned(), key: enrolment.clone() });
        }
        let private =
            (!offered.disclosures.is_empty()).then(|| json!({ "disclosures": offered.disclosures }));
        append.streams.push(StreamAppend {
            stream: leaf.stream,
            expected_version: leaf.version.saturating_sub(1),
            events: vec![NewEvent { kind: leaf.kind, body: leaf.body, private, attestation: None }],
        });
        let _changing = self.people.change().await;
        let appended = self.append(append).await?;
        self.people.follow(&self.store).await?;
        Ok(appended.positions.first().map_or(0, |position| position.leaf_index))
    }

    pub(super) async fn offered(&self, document: &Canonical, now: Timestamp) -> Result<OfferedAct, Problem> {
        let key = TicketKey { kind: ACT.to_owned(), key: document.digest().to_hex() };
        let ticket = self.store.ticket(&key, now).await?;
        let ticket = ticket.ok_or_else(|| {
            Problem::refused(
                axum::http::StatusCode::CONFLICT,
                "offer_used",
                "that act was not offered here, was recorded, or its time is over",
                "begin again with `POST /api/v1/identity/options`",
            )
        })?;
        serde_json::from_value(ticket.value).map_err(Problem::bug)
    }

    pub(super) async fn put_act(&self, offered: &OfferedAct, expires_at: Timestamp) -> Result<(), Problem> {
        let (kind, key) = (ACT.to_owned(), offered.document.digest().to_hex());
        self.store.put_ticket(Ticket { kind, key, value: json!(offered), expires_at }).await?;
        Ok(())
    }
}

/// How many people could sign as identity administrators.
fn administrators(directory: &Directory) -> usize {
    let active = |person: &&Person| !person.suspended && !person.passkeys.is_empty();
    directory.persons().filter(active).filter(|person| person.roles.contains(IDENTITY_ADMIN)).count()
}

pub(super) fn enrolled_body(waiting: &WaitingPasskey) -> Result<Map<String, Value>, Problem> {
    let mut body = json!({ "person": waiting.person, "passkey": waiting.passkey });
    let Some(members) = body.as_object_mut() else { return Err(Problem::bug("a body that is no object")) };
    if let Some(name) = &waiting.name {
        members.insert("roles".to_owned(), json!(waiting.roles));
        members.insert("attributes".to_owned(), json!(waiting.attributes));
        members.insert("_sd".to_owned(), json!([digest_text(name)]));
    }
    Ok(members.clone())
}

type Body = (Map<String, Value>, Option<String>, Vec<Disclosure>);

/// The body as it was asked for, with exactly these members, all of them strings.
fn plain_body(asked: &Map<String, Value>, members: &[&str]) -> Result<Body, Problem> {
    only(asked, members)?;
    for name in members {
        member(asked, name)?;
    }
    let _: PersonId = parse_member("/body/person", member(asked, "person")?)?;
    Ok((asked.clone(), None, Vec::new()))
}

fn only(asked: &Map<String, Value>, members: &[&str]) -> Result<(), Problem> {
    match asked.keys().find(|name| !members.contains(&name.as_str())) {
        Some(name) => Err(Problem::member(&format!("/body/{name}"), "is not a member of this act")),
        None => Ok(()),
    }
}

fn member<'a>(asked: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    let value = asked.get(name).and_then(Value::as_str);
    value.ok_or_else(|| Problem::member(&format!("/body/{name}"), "is missing, or not a string"))
}
