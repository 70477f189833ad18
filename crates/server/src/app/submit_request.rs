//! Asking: a signed document becomes a request, or the next revision of one.

use std::net::IpAddr;
use std::sync::Arc;

use chancery_api::request::SubmitRequest;
use chancery_canonical::{Bytes, Canonical, Disclosure};
use chancery_domain::decide::{Command, Facts, decide};
use chancery_domain::document::RequestDocument;
use chancery_domain::event::{RequestEvent, Submitted};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::proof::SignedRequest;
use chancery_domain::refusal::Refusal;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Outcome;
use chancery_evidence::request::verify_request;
use chancery_policy::input::Phase;
use chancery_store::{Document, RequestFilter, Store as _, Ticket};
use serde_json::{Value, json};

use super::assess_request::{Assessed, Assessment};
use super::load_request::LoadedRequest;
use super::record_events::{MAX_ATTEMPTS, Record};
use super::{App, Snapshot};
use crate::http::admission::PersonShare;
use crate::http::body::parse_member;
use crate::http::convert;
use crate::http::shares::Held;
use crate::problem::Problem;

/// What came in, parsed.
struct Submission {
    document: Canonical,
    request: RequestDocument,
    disclosures: Vec<Disclosure>,
    submitted: Submitted,
}

/// Which version of which request an edit is about.
pub struct Revises {
    /// The request.
    pub id: RequestId,
    /// `If-Match`.
    pub version: u64,
}

impl App {
    /// Records a request, or with `revises` its next revision; returns its id.
    pub(crate) async fn submit_request(
        &self,
        actor: &PersonId,
        address: Option<IpAddr>,
        body: &SubmitRequest,
        revises: Option<&Revises>,
        remember: Option<Ticket>,
    ) -> Result<RequestId, Problem> {
        self.sealed()?;
        let submission = parse(body)?;
        if submission.request.requester != *actor {
            return Err(Refusal::NotYours.into());
        }
        self.admission.submission(actor, &self.config.limits, self.now())?;
        let turn = self.admission.hold(actor, Held::Submission, usize::MAX);
        let before = || turn.as_ref().map_or(0, PersonShare::before);
        for _ in 0..MAX_ATTEMPTS {
            if revises.is_none() {
                self.check_pending(actor, before()).await?;
            }
            match self.try_submit(&submission, address, revises, remember.clone()).await {
                // An edit then meets the version that it did not see.
                Err(problem) if problem.is_conflict() => {}
                answer => return answer,
            }
        }
        Err(Problem::fault("a submission met with conflicts without end"))
    }

    async fn try_submit(
        &self,
        submission: &Submission,
        address: Option<IpAddr>,
        revises: Option<&Revises>,
        remember: Option<Ticket>,
    ) -> Result<RequestId, Problem> {
        // load
        let (now, people) = (self.now(), self.people.now());
        let before = self.before(submission, revises, &people).await?;
        self.check_request(&submission.request, now).await?;
        let requester = &submission.request.requester;
        let context = self.context(&people, now);
        let signed = verify_request(&submission.submitted, &submission.document, &context)?;
        // gather
        let assessed = self.assess(assessment(submission, address, now), &people).await?;
        // decide
        let events = decide_on(before.as_deref(), signed, &assessed, &people, now)?;
        let number = self.draw_number(submission, &events, &assessed)?;
        // record
        let id = &submission.request.id;
        let mut record = Record::of(id, before.as_deref(), now);
        record.events = events.into_iter().map(|event| beside(event, submission, &assessed)).collect();
        record.documents = assessed.documents();
        record.documents.push(document(&submission.document));
        record.remember = remember.into_iter().chain(number).collect();
        self.record(record, &people).await?;
        if before.is_none() {
            self.waiting.one_more().await;
        }
        self.remember_address(requester, address, assessed.known_address.as_ref(), now).await?;
        // What is read next, by whoever is shown the request.
        self.documents.keep(&submission.document);
        self.documents.keep(assessed.verdict.canonical());
        self.documents.keep(&assessed.input.document);
        Ok(id.clone())
    }

    /// The request that is revised, at the version that the editor saw.
    async fn before(
        &self,
        submission: &Submission,
        revises: Option<&Revises>,
        people: &Snapshot,
    ) -> Result<Option<Arc<LoadedRequest>>, Problem> {
        let Some(Revises { id, version }) = revises else { return Ok(None) };
        if submission.request.id != *id {
            return Err(Problem::member("/document", "is of another request than the address names"));
        }
        let loaded = self.find_request(id, &submission.request.requester, people).await?;
        if loaded.version != *version {
            return Err(Problem::refused(
                axum::http::StatusCode::PRECONDITION_FAILED,
                "version_changed",
                format!("the request is at version {}, not {version}", loaded.version),
                "look at what stands now, and draft the revision again",
            ));
        }
        Ok(Some(loaded))
    }

    /// Draws the two digits that approvers will be asked for, where the risk wants them.
    fn draw_number(
        &self,
        submission: &Submission,
        events: &[RequestEvent],
        assessed: &Assessed,
    ) -> Result<Option<Ticket>, Problem> {
        let lapses_at = events.iter().find_map(|event| match event {
            RequestEvent::Judged(judged) => judged.lapses_at,
            _ => None,
        });
        let asks = assessed.verdict.document().verdict == Outcome::RequireApproval;
        match lapses_at.filter(|_| asks && assessed.verdict.document().risk.needs_number()) {
            Some(lapses_at) => self.new_number(&submission.request, lapses_at).map(Some),
            None => Ok(None),
        }
    }

    /// Holds a new request to the limits on those that wait. `before`: how many of the same person are being
    /// submitted that came before this one.
    ///
    /// INVARIANT: those are counted before what is stored is read, so that none of them is missed in between.
    async fn check_pending(&self, requester: &PersonId, before: usize) -> Result<(), Problem> {
        self.waiting.check(self).await?;
        let most = self.config.limits.pending_requests_per_person;
        let filter = RequestFilter {
            states: vec!["pending".to_owned()],
            requester: Some(requester.clone()),
            ..RequestFilter::default()
        };
        let ever = Timestamp::from_unix(0).map_err(Problem::bug)?;
        let waiting = usize::try_from(self.store.count_requests(filter, ever).await?).unwrap_or(usize::MAX);
        if waiting.saturating_add(before) < most {
            return Ok(());
        }
        Err(Problem::refused(
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            "too_many_pending",
            format!("{most} requests of yours wait already (`limits.pending_requests_per_person`)"),
            "cancel some of them, or wait until they are decided",
        ))
    }
}

fn parse(body: &SubmitRequest) -> Result<Submission, Problem> {
    let document = convert::document("/document", &body.document)?;
    let request: RequestDocument = document.decode().map_err(|error| Problem::member("/document", error))?;
    let mut disclosures = Vec::new();
    for (position, text) in body.disclosures.iter().enumerate() {
        let parsed = Disclosure::parse(text);
        disclosures
            .push(parsed.map_err(|error| Problem::member(&format!("/disclosures/{position}"), error))?);
    }
    check_disclosures(&document, &disclosures)?;
    let possession = body.possession.as_deref().map(Bytes::parse).transpose();
    let submitted = Submitted {
        revision: request.revision,
        request_sha256: document.digest(),
        requester: request.requester.clone(),
        beneficiary: request.beneficiary.person.clone(),
        entitlement: request.entitlement.name.clone(),
        signature: convert::request_signature(&body.signature)?,
        possession: possession.map_err(|error| Problem::member("/possession", error))?,
    };
    Ok(Submission { document, request, disclosures, submitted })
}

/// Every digest comes with its disclosure, and the disclosure is a justification within its limits.
fn check_disclosures(document: &Canonical, disclosures: &[Disclosure]) -> Result<(), Problem> {
    let revealed = chancery_canonical::disclosure::reveal(document.value(), disclosures)
        .map_err(|error| Problem::member("/disclosures", error))?;
    if !revealed.missing.is_empty() {
        return Err(Problem::member("/disclosures", "a disclosure is missing"));
    }
    for disclosure in disclosures {
        let text = disclosure.value().as_str().filter(|_| disclosure.name() == "justification");
        let text =
            text.ok_or_else(|| Problem::member("/disclosures", "only a justification may be concealed"))?;
        super::draft_request::check_text("/disclosures", text, super::draft_request::MAX_REASON)?;
    }
    Ok(())
}

fn assessment(submission: &Submission, address: Option<IpAddr>, now: Timestamp) -> Assessment<'_> {
    Assessment {
        phase: Phase::Request,
        request: &submission.request,
        disclosures: &submission.disclosures,
        approvals: &[],
        address,
        now,
    }
}

fn decide_on(
    before: Option<&LoadedRequest>,
    signed: SignedRequest,
    assessed: &Assessed,
    people: &Snapshot,
    now: Timestamp,
) -> Result<Vec<RequestEvent>, Problem> {
    let facts = Facts {
        now,
        directory: people.directory(),
        verdict: Some(&assessed.verdict),
        standing_verdict: None,
        approvals: &[],
        alerts: people.alerts(),
    };
    let command = if before.is_some() { Command::Revise(signed) } else { Command::Submit(signed) };
    Ok(decide(before.map(|before| &before.state), command, &facts)?)
}

/// What is kept beside each event.
fn beside(
    event: RequestEvent,
    submission: &Submission,
    assessed: &Assessed,
) -> (RequestEvent, Option<Value>) {
    let private = match &event {
        RequestEvent::Submitted(_) | RequestEvent::Revised(_) if !submission.disclosures.is_empty() => {
            Some(json!({ "disclosures": submission.disclosures }))
        }
        RequestEvent::Judged(_) => Some(assessed.private(Phase::Request)),
        _ => None,
    };
    (event, private)
}

fn document(canonical: &Canonical) -> Document {
    Document {
        sha256: canonical.digest(),
        media_type: "application/json".to_owned(),
        bytes: canonical.as_bytes().to_vec(),
    }
}

/// Parses the id in an address.
pub fn request_id(text: &str) -> Result<RequestId, Problem> {
    parse_member("id", text).map_err(|_| Problem::not_found("request"))
}
