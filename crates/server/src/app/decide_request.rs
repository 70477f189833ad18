//! Deciding: an offer to sign, and the signed decision.

use chancery_api::decision::{DecisionOptions, DecisionOptionsRequest, DecisionRequest, Receipt};
use chancery_canonical::base64::encode_url;
use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::count::{self, HARDWARE_PASSKEY};
use chancery_domain::decide::{Command, Facts, decide};
use chancery_domain::document::{
    CheckpointReference, DecisionDocument, DecisionKind, DecisionType, ShownStage, Signed as _, Suspicious,
    challenge,
};
use chancery_domain::event::{DecisionRefused, Passkey, RequestEvent};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::people::Person;
use chancery_domain::proof::{AuthenticatedActor, VerifiedDecision};
use chancery_domain::refusal::Refusal;
use chancery_domain::signature::Assertion;
use chancery_domain::state::{Judgement, State};
use chancery_domain::time::Timestamp;
use chancery_evidence::decision::verify_decision;
use chancery_policy::input::Phase;
use chancery_store::{Appended, Store as _, Ticket, TicketKey};
use serde_json::{Value, json};

use super::assess_request::{Assessed, Assessment};
use super::draft_request::{MAX_REASON, check_text};
use super::load_request::LoadedRequest;
use super::passkey_counter::{SUSPICIOUS_COUNTER, Signing};
use super::record_events::{MAX_ATTEMPTS, Record};
use super::{App, Snapshot};
use crate::http::convert;
use crate::problem::Problem;
use crate::routes::view;

/// How long a decision is offered for signing.
const OFFER_SECONDS: u64 = 300;

/// Sort of ticket of an offer; its key is the document's digest, so every nonce works once.
const OFFER: &str = "decision_offer";

impl App {
    /// Offers a decision for signing.
    pub(crate) async fn offer_decision(
        &self,
        authenticated: &AuthenticatedActor,
        id: &RequestId,
        asked: &DecisionOptionsRequest,
    ) -> Result<DecisionOptions, Problem> {
        self.sealed()?;
        let actor = authenticated.person();
        let (now, people) = (self.now(), self.people.now());
        let loaded = self.find_request(id, actor, &people).await?;
        let kind = convert::decision_kind(asked.decision);
        self.refuse_early(&loaded, actor, kind, &people, now).await?;
        let suspicious = suspicious(kind, asked.report_suspicious)?;
        let disclosure = self.conceal_reason(asked.reason.as_deref())?;
        let person = people.active(actor).ok_or_else(|| Refusal::NotAnActivePerson(actor.clone()))?;
        let passkey = choose_passkey(person, asked.credential_id.as_deref(), &loaded, now)?;
        // INVARIANT: last of all refusals, so that whoever could not approve anyway burns none.
        let loaded = match kind {
            DecisionKind::Approve => {
                self.match_number(authenticated, loaded, asked.matching_number.as_deref()).await?
            }
            _ => loaded,
        };
        let mut document = self.decision_document(&loaded, actor, kind, passkey, now).await?;
        document.reason_sha256 = disclosure.as_ref().map(Disclosure::digest);
        document.suspicious = suspicious;
        let canonical = document.canonical().map_err(Problem::bug)?;
        let signed = challenge::<DecisionDocument>(&canonical);
        let value = json!({ "person": actor, "request": id });
        let (kind, key) = (OFFER.to_owned(), canonical.digest().to_hex());
        self.store.put_ticket(Ticket { kind, key, value, expires_at: document.expires_at }).await?;
        let mut public_key = self.request_options(&signed, actor, &people);
        public_key.allow_credentials = vec![view::descriptor(passkey)];
        Ok(DecisionOptions {
            document: canonical.as_str().to_owned(),
            disclosure: disclosure.map(|one| one.as_str().to_owned()),
            fingerprint: fingerprint(&signed),
            public_key,
        })
    }

    /// Records a signed decision.
    pub(crate) async fn decide_request(
        &self,
        actor: &PersonId,
        id: &RequestId,
        body: &DecisionRequest,
    ) -> Result<Receipt, Problem> {
        self.sealed()?;
        let document = convert::document("/document", &body.document)?;
        let assertion = convert::assertion("/assertion", &body.assertion)?;
        let disclosure = body.disclosure.as_deref().map(Disclosure::parse).transpose();
        let disclosure = disclosure.map_err(|error| Problem::member("/disclosure", error))?;
        let signed = Signed { document, assertion, disclosure };
        for attempt in 0..MAX_ATTEMPTS {
            match self.try_decide(actor, id, &signed).await {
                Err(problem) if problem.is_conflict() => {}
                // Another decision of the same person may have come in between; what stands now says so better.
                Err(problem) if attempt == 0 && problem.code() == SUSPICIOUS_COUNTER => {}
                Err(problem) => return Err(problem),
                Ok(appended) => {
                    self.keep_counter(Signing::Decision, &signed.assertion).await?;
                    return self.receipt(&signed, &body.assertion, &appended).await;
                }
            }
        }
        Err(Problem::fault("a decision met with conflicts without end"))
    }

    async fn try_decide(
        &self,
        actor: &PersonId,
        id: &RequestId,
        signed: &Signed,
    ) -> Result<Appended, Problem> {
        // load
        let (now, people) = (self.now(), self.people.now());
        let loaded = self.find_request(id, actor, &people).await?;
        let context = self.context(&people, now);
        let verified = verify_decision(&signed.document, &signed.assertion, &loaded.reference(), &context)?;
        if verified.document().approver != *actor {
            return Err(Problem::forbidden("the decision is another person's than the one signed in"));
        }
        check_reason(&verified, signed.disclosure.as_ref())?;
        // gather
        let disclosures = loaded.disclosures();
        let again = match (verified.document().decision, &loaded.state) {
            (DecisionKind::Approve, State::Pending(_)) => {
                Some(self.assess(approve_phase(&loaded, &disclosures, now), &people).await?)
            }
            _ => None,
        };
        // decide
        let facts = Facts {
            now,
            directory: people.directory(),
            verdict: again.as_ref().map(|assessed| &assessed.verdict),
            standing_verdict: Some(&loaded.standing_verdict),
            approvals: &loaded.approvals,
            alerts: people.alerts(),
        };
        let command = Command::Decide(verified, signed.assertion.clone());
        let events = match decide(Some(&loaded.state), command, &facts) {
            Ok(events) => events,
            Err(refusal) => return Err(self.refuse(&loaded, actor, refusal, &people, now).await?),
        };
        // Last of all refusals: what is no good anyway says so by its own name.
        self.check_counter(Signing::Decision, &signed.assertion).await?;
        // record
        let mut record = Record::of(id, Some(&loaded), now);
        record.events = events.into_iter().map(|event| beside(event, signed, again.as_ref())).collect();
        record.documents = again.iter().flat_map(Assessed::documents).collect();
        record.consume = vec![TicketKey { kind: OFFER.to_owned(), key: signed.document.digest().to_hex() }];
        self.record(record, &people).await
    }

    /// Refuses before anybody signs what a person plainly may not do, and logs an attempt at self-approval.
    async fn refuse_early(
        &self,
        loaded: &LoadedRequest,
        actor: &PersonId,
        kind: DecisionKind,
        people: &Snapshot,
        now: Timestamp,
    ) -> Result<(), Problem> {
        match view::may_decide(loaded, actor, kind, people) {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.refuse(loaded, actor, refusal, people, now).await?),
        }
    }

    /// The problem that a refusal is; one that is worth a place in the log gets it, once for each person and
    /// revision, so that nobody can fill the log by trying.
    async fn refuse(
        &self,
        loaded: &LoadedRequest,
        actor: &PersonId,
        refusal: Refusal,
        people: &Snapshot,
        now: Timestamp,
    ) -> Result<Problem, Problem> {
        let revision = loaded.events.iter().rev().take_while(|placed| {
            !matches!(placed.event, RequestEvent::Submitted(_) | RequestEvent::Revised(_))
        });
        let known = revision.into_iter().any(|placed| {
            matches!(&placed.event, RequestEvent::DecisionRefused(body)
                if body.person == *actor && body.code == refusal.code())
        });
        if refusal.is_recorded() && !known {
            let refused = DecisionRefused { person: actor.clone(), code: refusal.code().to_owned() };
            let record = Record::of(&loaded.id, Some(loaded), now);
            let record = record.with(vec![RequestEvent::DecisionRefused(refused)]);
            self.record(record, people).await?;
        }
        Ok(refusal.into())
    }

    fn conceal_reason(&self, reason: Option<&str>) -> Result<Option<Disclosure>, Problem> {
        let Some(text) = reason else { return Ok(None) };
        check_text("/reason", text, MAX_REASON)?;
        let disclosure = Disclosure::new(&self.random.bytes()?, "reason", Value::from(text));
        disclosure.map(Some).map_err(|error| Problem::member("/reason", error))
    }

    async fn decision_document(
        &self,
        loaded: &LoadedRequest,
        actor: &PersonId,
        kind: DecisionKind,
        passkey: &Passkey,
        now: Timestamp,
    ) -> Result<DecisionDocument, Problem> {
        let judgement = judgement(&loaded.state)?;
        let people = self.people.now();
        let stages = &loaded.standing_verdict.stages;
        let eligible = count::eligible_stages(actor, stages, loaded.asked(), people.directory());
        let shown = stages.iter().filter(|stage| eligible.contains(&stage.id));
        let checkpoint = self.store.checkpoint().await?;
        Ok(DecisionDocument {
            document_type: DecisionType::V1,
            log_origin: self.config.log_origin.clone(),
            request: loaded.reference(),
            verdict_sha256: judgement.verdict_sha256,
            policy_sha256: judgement.policy_sha256,
            decision: kind,
            approver: actor.clone(),
            credential_id_sha256: Sha256::of(passkey.credential_id.as_bytes()),
            stages: shown.map(|stage| ShownStage { id: stage.id.clone(), quorum: stage.quorum }).collect(),
            grant: judgement.grant.clone(),
            reason_sha256: None,
            suspicious: None,
            checkpoint: CheckpointReference {
                size: checkpoint.root().size(),
                root: Sha256::from_bytes(*checkpoint.root().hash().as_bytes()),
            },
            nonce: self.random.token()?,
            issued_at: now,
            expires_at: now.plus(OFFER_SECONDS),
        })
    }

    async fn receipt(
        &self,
        signed: &Signed,
        assertion: &chancery_api::passkey::Assertion,
        appended: &Appended,
    ) -> Result<Receipt, Problem> {
        let position =
            appended.positions.first().ok_or_else(|| Problem::bug("a decision without a place"))?;
        let proof = self.proof(position.leaf_index, &appended.checkpoint).await?;
        let leaf = self.store.entries(position.leaf_index..position.leaf_index.saturating_add(1)).await?;
        Ok(Receipt {
            document: signed.document.as_str().to_owned(),
            assertion: assertion.clone(),
            leaf: encode_url(leaf.first().map(Vec::as_slice).unwrap_or_default()),
            leaf_index: position.leaf_index,
            proof: proof.to_string(),
        })
    }
}

/// A decision as it came in.
struct Signed {
    document: Canonical,
    assertion: Assertion,
    disclosure: Option<Disclosure>,
}

/// What policy fixed, where a request has come so far.
fn judgement(state: &State) -> Result<&Judgement, Problem> {
    match state {
        State::Pending(pending) => Ok(&pending.judgement),
        State::Approved(approved) => Ok(&approved.judgement),
        State::Active(active) | State::Unknown(active) => Ok(&active.approved.judgement),
        other @ (State::Evaluating(_) | State::Denied(_) | State::RollingBack(_) | State::Ended(_)) => {
            Err(Refusal::WrongState { state: other.name() }.into())
        }
    }
}

/// Whether the document is to report the request, which only a rejection can.
fn suspicious(kind: DecisionKind, asked: bool) -> Result<Option<Suspicious>, Problem> {
    match kind {
        _ if !asked => Ok(None),
        DecisionKind::Reject => Ok(Some(Suspicious)),
        _ => Err(Problem::member("/report_suspicious", "only a rejection can report a request")),
    }
}

/// The passkey that was asked for, or the first that meets the obligations.
fn choose_passkey<'a>(
    person: &'a Person,
    wanted: Option<&str>,
    loaded: &LoadedRequest,
    now: Timestamp,
) -> Result<&'a Passkey, Problem> {
    if let Some(recovery) = person.running_recovery(now) {
        return Err(Refusal::RecoveryWaiting(recovery.counts_from).into());
    }
    if let Some(wanted) = wanted {
        let id = chancery_canonical::base64::decode_url(wanted)
            .map_err(|error| Problem::member("/credential_id", error))?;
        return person
            .passkeys
            .get(&id)
            .ok_or_else(|| Problem::member("/credential_id", "is no passkey of yours"));
    }
    let hardware = loaded.standing_verdict.obligations.contains(HARDWARE_PASSKEY);
    let fits = |passkey: &&Passkey| !hardware || passkey.is_hardware();
    person.passkeys.values().find(fits).ok_or_else(|| Refusal::HardwarePasskeyNeeded.into())
}

/// The disclosure is the one that the document names, and a reason.
fn check_reason(verified: &VerifiedDecision, disclosure: Option<&Disclosure>) -> Result<(), Problem> {
    if verified.document().reason_sha256 != disclosure.map(Disclosure::digest) {
        return Err(Problem::member("/disclosure", "is not the one that the document names"));
    }
    let Some(disclosure) = disclosure else { return Ok(()) };
    let text = disclosure.value().as_str().filter(|_| disclosure.name() == "reason");
    check_text("/disclosure", text.unwrap_or_default(), MAX_REASON)
}

fn approve_phase<'a>(
    loaded: &'a LoadedRequest,
    disclosures: &'a [Disclosure],
    now: Timestamp,
) -> Assessment<'a> {
    Assessment {
        phase: Phase::Approve,
        request: &loaded.request,
        disclosures,
        approvals: &loaded.approvals,
        // The approver's connection says nothing of where the requester is.
        address: None,
        now,
    }
}

fn beside(event: RequestEvent, signed: &Signed, again: Option<&Assessed>) -> (RequestEvent, Option<Value>) {
    let private = match &event {
        RequestEvent::DecisionRecorded(_) => {
            signed.disclosure.as_ref().map(|reason| json!({ "disclosures": [reason] }))
        }
        RequestEvent::Judged(_) => again.map(|assessed| assessed.private(Phase::Approve)),
        _ => None,
    };
    (event, private)
}

/// The first 20 hexadecimal digits of a challenge, in groups of four, to read aloud.
pub fn fingerprint(signed: &Sha256) -> String {
    let hex = signed.to_hex();
    let digits: Vec<char> = hex.chars().take(20).collect();
    digits.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}
