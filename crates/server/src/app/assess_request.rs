//! Asking policy: gather the facts, conceal what is personal, judge.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use chancery_canonical::Disclosure;
use chancery_domain::document::RequestDocument;
use chancery_domain::id::PersonId;
use chancery_domain::people::TIMEZONE;
use chancery_domain::proof::VerifiedApproval;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Verdict;
use chancery_policy::input::{ApprovalFact, ConcealedInput, Input, PersonFacts, Phase};
use chancery_signals::Question;
use chancery_store::{Document, Past, Store as _, Ticket, TicketKey};
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::describe_request::{subject, tells_apart};
use super::{App, Snapshot};
use crate::problem::Problem;
use crate::random::token_key;

/// How long an address counts as known after a person last came from it.
const KNOWN_ADDRESS_SECONDS: u64 = 90 * 24 * 3600;

/// After so long what is remembered of an address is written again.
const WRITTEN_AGAIN_SECONDS: u64 = 24 * 3600;

/// Windows of the counts of the past.
const WINDOWS: [(&str, u64); 3] = [("1h", 3600), ("24h", 24 * 3600), ("90d", 90 * 24 * 3600)];

/// States of a request whose grant stands or ran to its end.
const GRANTED: [&str; 4] = ["approved", "active", "completed", "expired"];

/// How many of the grants of the last 90 days were for the same subject.
const GRANTED_SUBJECT: &str = "granted_subject_90d";

/// More salts than an input has personal members.
const SALTS: usize = 16;

/// What policy is asked about.
pub struct Assessment<'a> {
    /// At which step.
    pub phase: Phase,
    /// About which request.
    pub request: &'a RequestDocument,
    /// Disclosures of its concealed values.
    pub disclosures: &'a [Disclosure],
    /// Approvals that stand.
    pub approvals: &'a [VerifiedApproval],
    /// Where the requester's connection comes from; absent where somebody else acts.
    pub address: Option<IpAddr>,
    /// When.
    pub now: Timestamp,
}

/// A verdict, and what it was computed from.
pub struct Assessed {
    /// What policy says.
    pub verdict: Verdict,
    /// What it was asked.
    pub input: ConcealedInput,
    /// The main parameters, in a few words.
    pub subject: String,
    /// What is known of the address, as it was found.
    pub known_address: Option<Ticket>,
}

impl Assessed {
    /// Verdict and input, to be stored by their digests.
    pub fn documents(&self) -> Vec<Document> {
        let of = |canonical: &chancery_canonical::Canonical| Document {
            sha256: canonical.digest(),
            media_type: "application/json".to_owned(),
            bytes: canonical.as_bytes().to_vec(),
        };
        vec![of(self.verdict.canonical()), of(&self.input.document)]
    }

    /// What stands beside the `request.judged` event: the input's disclosures, and for lists stages, tier and subject.
    pub fn private(&self, phase: Phase) -> Value {
        let mut private = json!({ "disclosures": self.input.disclosures });
        if let (Phase::Request, Some(members)) = (phase, private.as_object_mut()) {
            let said = self.verdict.document();
            members.insert("stages".to_owned(), json!(said.stages));
            members.insert("tier".to_owned(), json!(said.risk.tier));
            members.insert("subject".to_owned(), json!(self.subject));
        }
        private
    }
}

impl App {
    /// Asks policy. A fault in it is a `deny`, and its detail goes to the operator's log.
    pub(crate) async fn assess(&self, asked: Assessment<'_>, people: &Snapshot) -> Result<Assessed, Problem> {
        let request = asked.request;
        let entitlement = self.policy.bundle().entitlement(&request.entitlement.name);
        let requester = people.directory().person(&request.requester);
        let zone = requester.and_then(|person| person.attributes.get(TIMEZONE)).map(String::as_str);
        let calendar = self.hours.of_person(zone).at(asked.now);
        let calendar = calendar.ok_or_else(|| Problem::bug("a moment beyond the calendar"))?;
        let known_address = match asked.address {
            Some(address) => self.known_address(&request.requester, address, asked.now).await?,
            None => None,
        };
        let first_seen = known_address.as_ref().and_then(first_seen);
        let question = Question {
            person: request.requester.clone(),
            address: asked.address,
            first_seen,
            now: asked.now,
        };
        let data = entitlement.map(|known| known.data().clone()).unwrap_or_default();
        let subject = subject(&request.parameters, &data);
        let past = Past {
            requester: request.requester.clone(),
            entitlement: request.entitlement.name.clone(),
            subject: subject.clone(),
        };
        let mut history = self.gather_history(&past, asked.now).await?;
        if !tells_apart(&subject, &request.parameters, &data) {
            history.insert(GRANTED_SUBJECT.to_owned(), 0);
        }
        let input = Input {
            phase: asked.phase,
            request: request.clone(),
            entitlement: data,
            requester: facts(&request.requester, people),
            beneficiary: facts(&request.beneficiary.person, people),
            signals: self.signals.gather(&question).instrument(tracing::debug_span!("gather")).await,
            approvals: asked.approvals.iter().map(approval).collect(),
            history,
            now: asked.now,
            calendar,
        };
        let mut salts = self.random.salts(SALTS)?;
        let input = ConcealedInput::conceal(&input, asked.disclosures, &mut salts).map_err(|error| {
            Problem::invalid(
                "input_unusable",
                error.to_string(),
                "ask without numbers beyond 2^53 or fractions",
            )
        })?;
        let policy = Arc::clone(&self.policy);
        let begun = Instant::now();
        let judged = self.compute(move || (policy.judge(&input), input));
        let (judgement, input) = judged.instrument(tracing::debug_span!("verdict")).await?;
        self.metrics.judged(begun.elapsed());
        let judgement = judgement.map_err(Problem::fault)?;
        if let Some(fault) = judgement.fault {
            tracing::error!(request = %request.id, %fault, "policy failed, which is a denial");
        }
        Ok(Assessed { verdict: judgement.verdict, input, subject, known_address })
    }

    async fn known_address(
        &self,
        person: &PersonId,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Option<Ticket>, Problem> {
        Ok(self.store.ticket(&address_key(person, address), now).await?)
    }

    /// Remembers that a person came from an address, with the moment at which they first did. Written again once a day:
    /// what is remembered for 90 days need not be written at every request.
    pub(crate) async fn remember_address(
        &self,
        person: &PersonId,
        address: Option<IpAddr>,
        known: Option<&Ticket>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Some(address) = address else { return Ok(()) };
        let expires_at = now.plus(KNOWN_ADDRESS_SECONDS);
        if known.is_some_and(|known| expires_at.seconds_since(known.expires_at) < WRITTEN_AGAIN_SECONDS) {
            return Ok(());
        }
        let first_seen = known.and_then(first_seen).unwrap_or(now);
        let TicketKey { kind, key } = address_key(person, address);
        let value = json!({ "first_seen": first_seen });
        self.store.put_ticket(Ticket { kind, key, value, expires_at }).await?;
        Ok(())
    }

    async fn gather_history(&self, past: &Past, now: Timestamp) -> Result<BTreeMap<String, u64>, Problem> {
        let before = |seconds| Timestamp::from_unix(now.unix().saturating_sub_unsigned(seconds));
        let since: Result<Vec<Timestamp>, _> = WINDOWS.iter().map(|(_, seconds)| before(*seconds)).collect();
        let since = since.map_err(Problem::bug)?;
        let counted = self.store.count_of_requester(past, since).await?;
        let mut history = BTreeMap::new();
        for ((window, _), counts) in WINDOWS.iter().zip(&counted) {
            let all = counts.iter().map(|count| count.requests).sum();
            let same = counts.iter().map(|count| count.of_entitlement).sum();
            history.insert(format!("requests_{window}"), all);
            history.insert(format!("requests_same_{window}"), same);
            for state in ["denied", "rejected", "revoked"] {
                let count = counts.iter().find(|count| count.state == state);
                history.insert(format!("{state}_{window}"), count.map_or(0, |count| count.requests));
            }
        }
        // What was denied, rejected or taken back makes nothing usual, however often it was asked for.
        let granted = || {
            let longest = counted.last().into_iter().flatten();
            longest.filter(|count| GRANTED.contains(&count.state.as_str()))
        };
        history.insert("granted_same_90d".to_owned(), granted().map(|count| count.of_entitlement).sum());
        history.insert(GRANTED_SUBJECT.to_owned(), granted().map(|count| count.of_subject).sum());
        let longest = granted().map(|count| count.longest_grant_seconds).max();
        history.insert("longest_grant_seconds_90d".to_owned(), longest.unwrap_or(0));
        Ok(history)
    }
}

fn first_seen(ticket: &Ticket) -> Option<Timestamp> {
    let since = ticket.value.get("first_seen").cloned();
    since.and_then(|since| serde_json::from_value(since).ok())
}

/// The address itself is personal: the ticket's key holds its digest.
fn address_key(person: &PersonId, address: IpAddr) -> TicketKey {
    let key = token_key(&format!("{person} {}", address.to_canonical()));
    TicketKey { kind: "address".to_owned(), key }
}

fn facts(person: &PersonId, people: &Snapshot) -> PersonFacts {
    let known = people.directory().person(person);
    PersonFacts {
        person: person.clone(),
        roles: known.map(|known| known.roles.clone()).unwrap_or_default(),
        groups: BTreeSet::new(),
        attributes: known.map(|known| known.attributes.clone()).unwrap_or_default(),
        name: people.name(person).map(str::to_owned),
        mail: None,
    }
}

fn approval(approval: &VerifiedApproval) -> ApprovalFact {
    ApprovalFact {
        approver: approval.person().clone(),
        stages: approval.document().stages.iter().map(|stage| stage.id.clone()).collect(),
        approved_at: approval.issued_at(),
    }
}
