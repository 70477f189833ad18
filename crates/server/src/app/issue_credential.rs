//! From an approved request to a credential: activate, announce, mint from evidence, say so. Each step is one
//! append, and a crash between two is picked up by the next call or by the effect `SettleLease`.

use std::net::IpAddr;

use chancery_api::grant::Credential;
use chancery_domain::decide::{Command, Facts, decide};
use chancery_domain::event::{LeaseIntended, LeaseIssued, LeaseRevoked, RequestEvent, SSH_CERTIFICATE};
use chancery_domain::id::{LeaseId, RequestId};
use chancery_domain::proof::AuthenticatedActor;
use chancery_domain::refusal::Refusal;
use chancery_domain::state::{Active, LeaseStatus, State};
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Outcome;
use chancery_issuer::issue::{IssueError, MAX_ANNOUNCEMENT_AGE_SECONDS, read_certificate};
use chancery_issuer::plan::GrantFacts;
use chancery_policy::entitlement::Connector;
use chancery_policy::input::Phase;
use chancery_store::Ticket;
use serde_json::Value;

use super::assess_request::{Assessed, Assessment};
use super::load_request::LoadedRequest;
use super::record_events::{MAX_ATTEMPTS, Record};
use super::{App, Snapshot};
use crate::problem::Problem;

/// More than one issuance takes, in seconds.
const MINT_SECONDS: u64 = 60;

/// Remembers a lease under an idempotency key.
pub type Remember<'a> = &'a (dyn Fn(&LeaseId) -> Option<Ticket> + Send + Sync);

impl App {
    /// Issues one credential under a grant.
    pub(crate) async fn issue_credential(
        &self,
        actor: &AuthenticatedActor,
        id: &RequestId,
        address: Option<IpAddr>,
        remember: Remember<'_>,
    ) -> Result<Credential, Problem> {
        self.sealed()?;
        for _ in 0..MAX_ATTEMPTS {
            match self.try_announce(actor, id, address, remember).await {
                Err(problem) if problem.is_conflict() => {}
                Err(problem) => return Err(problem),
                Ok(lease) => return self.mint_credential(id, &lease).await,
            }
        }
        Err(Problem::fault("an issuance met with conflicts without end"))
    }

    /// Activates if need be, and announces a lease.
    async fn try_announce(
        &self,
        actor: &AuthenticatedActor,
        id: &RequestId,
        address: Option<IpAddr>,
        remember: Remember<'_>,
    ) -> Result<LeaseId, Problem> {
        let (now, people) = (self.now(), self.people.now());
        let mut loaded = self.find_request(id, actor.person(), &people).await?;
        self.refuse_others(&loaded, actor)?;
        self.require_issuer(&loaded)?;
        let assessed = self.assess_issue(&loaded, address, &people, now).await?;
        let starts = matches!(loaded.state, State::Approved(_));
        if starts {
            self.activate(&loaded, actor, &assessed, &people, now).await?;
            loaded = self.find_request(id, actor.person(), &people).await?;
        }
        if assessed.verdict.document().verdict == Outcome::Deny {
            return Err(denied(&assessed));
        }
        let State::Active(active) = &loaded.state else {
            return Err(Refusal::WrongState { state: loaded.state.name() }.into());
        };
        let lease = self.random.lease_id(now)?;
        let intended = self.prepare_lease(&loaded, active, &lease)?;
        let facts = Facts {
            now,
            directory: people.directory(),
            // The start of the grant logged it a moment ago; one verdict stands in the log once.
            verdict: (!starts).then_some(&assessed.verdict),
            standing_verdict: Some(&loaded.standing_verdict),
            approvals: &loaded.approvals,
            alerts: people.alerts(),
        };
        let events = decide(Some(&loaded.state), Command::IntendLease(actor.clone(), intended), &facts)?;
        let mut record = Record::of(id, Some(&loaded), now);
        record.events = events.into_iter().map(|event| beside(event, &assessed)).collect();
        record.documents = assessed.documents();
        record.remember = remember(&lease).into_iter().collect();
        self.record(record, &people).await?;
        Ok(lease)
    }

    /// Said before policy is asked, so that nobody learns from a verdict what is not theirs.
    fn refuse_others(&self, loaded: &LoadedRequest, actor: &AuthenticatedActor) -> Result<(), Problem> {
        let asked = loaded.asked();
        let theirs = *actor.person() == asked.requester || *actor.person() == asked.beneficiary;
        match &loaded.state {
            State::Approved(_) | State::Active(_) if theirs => Ok(()),
            State::Approved(_) | State::Active(_) => Err(Refusal::NotYours.into()),
            other @ (State::Evaluating(_)
            | State::Denied(_)
            | State::Pending(_)
            | State::Unknown(_)
            | State::RollingBack(_)
            | State::Ended(_)) => Err(Refusal::WrongState { state: other.name() }.into()),
        }
    }

    /// Said before anything is announced or started.
    fn require_issuer(&self, loaded: &LoadedRequest) -> Result<(), Problem> {
        let name = &loaded.asked().entitlement;
        let connector = self.policy.bundle().entitlement(name).map(|known| known.connector());
        let missing = match connector {
            Some(Connector::Ssh(_)) | None => return Ok(()),
            Some(Connector::Postgresql(_)) => "PostgreSQL",
            Some(Connector::Role(_)) => "roles of Chancery",
        };
        Err(Problem::refused(
            axum::http::StatusCode::CONFLICT,
            "no_issuer",
            format!("`{name}` is approved, but this server has no issuer for {missing}; nothing was started"),
            "carry it out by hand within the approval's time, with `chancery evidence export` as its proof, or cancel \
             it with `chancery request cancel`",
        ))
    }

    async fn assess_issue(
        &self,
        loaded: &LoadedRequest,
        address: Option<IpAddr>,
        people: &Snapshot,
        now: Timestamp,
    ) -> Result<Assessed, Problem> {
        let disclosures = loaded.disclosures();
        let assessment = Assessment {
            phase: Phase::Issue,
            request: &loaded.request,
            disclosures: &disclosures,
            approvals: &loaded.approvals,
            address,
            now,
        };
        self.assess(assessment, people).await
    }

    async fn activate(
        &self,
        loaded: &LoadedRequest,
        actor: &AuthenticatedActor,
        assessed: &Assessed,
        people: &Snapshot,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let facts = Facts {
            now,
            directory: people.directory(),
            verdict: Some(&assessed.verdict),
            standing_verdict: Some(&loaded.standing_verdict),
            approvals: &loaded.approvals,
            alerts: people.alerts(),
        };
        let events = decide(Some(&loaded.state), Command::Activate(actor.clone()), &facts)?;
        let mut record = Record::of(&loaded.id, Some(loaded), now);
        record.events = events.into_iter().map(|event| beside(event, assessed)).collect();
        record.documents = assessed.documents();
        self.record(record, people).await?;
        if assessed.verdict.document().verdict == Outcome::Deny { Err(denied(assessed)) } else { Ok(()) }
    }

    fn prepare_lease(
        &self,
        loaded: &LoadedRequest,
        active: &Active,
        lease: &LeaseId,
    ) -> Result<LeaseIntended, Problem> {
        let entitlement = self.policy.bundle().entitlement(&loaded.asked().entitlement);
        let facts = GrantFacts {
            document: &loaded.request,
            entitlement: entitlement.ok_or_else(|| Problem::from(Refusal::DeniedByPolicy))?,
            constraints: &loaded.standing_verdict.constraints,
            started_at: active.started_at,
            ends_at: active.ends_at,
        };
        let prepared = self.issuer.prepare(lease, &facts).map_err(refused)?;
        Ok(LeaseIntended {
            lease: lease.clone(),
            credential: SSH_CERTIFICATE.to_owned(),
            serial: prepared.serial,
            to_be_signed_sha256: prepared.to_be_signed_sha256,
            issuer_nonce: prepared.issuer_nonce,
            not_after: active.ends_at,
        })
    }

    /// Mints an announced lease, records that, and returns it. A repeat returns the same certificate.
    pub(crate) async fn mint_credential(
        &self,
        id: &RequestId,
        lease: &LeaseId,
    ) -> Result<Credential, Problem> {
        let trusted = self.sealed()?;
        let certificate = match self.minted(lease)? {
            Some(certificate) => certificate,
            None => {
                // INVARIANT: the evidence comes from the log that carries the announcement under a checkpoint.
                let evidence = self.gather_evidence(id).await?;
                self.issuer.mint(lease, &evidence, &trusted.directory, self.now()).map_err(refused)?
            }
        };
        // A crash here: the lease is minted and not said to be; `SettleLease` asks the issuer and says it.
        self.record_issued(id, lease, &certificate).await?;
        let facts = read_certificate(&certificate).map_err(Problem::bug)?;
        Ok(Credential {
            lease: lease.to_string(),
            kind: SSH_CERTIFICATE.to_owned(),
            certificate,
            serial: facts.serial,
            not_after: facts.valid_before.to_string(),
            ca: self.issuer.authority().line("chancery"),
        })
    }

    /// The certificate of a lease, when it was minted.
    pub(crate) fn minted(&self, lease: &LeaseId) -> Result<Option<String>, Problem> {
        self.issuer.minted(lease).map_err(refused)
    }

    /// What became of an announced lease without news. Minted: that is said now. Not minted, and too late for the
    /// issuer ever to do so: it is taken back, so that nothing is left open. Otherwise: when to look again.
    pub(crate) async fn settle_lease(
        &self,
        id: &RequestId,
        lease: &LeaseId,
    ) -> Result<Option<Timestamp>, Problem> {
        if let Some(certificate) = self.minted(lease)? {
            self.record_issued(id, lease, &certificate).await?;
            return Ok(None);
        }
        let loaded = self.load_request(id, &self.people.now()).await?;
        let loaded = loaded.ok_or_else(|| Problem::bug(format!("a lease of no request `{id}`")))?;
        let announced = loaded.events.iter().find_map(|placed| match &placed.event {
            RequestEvent::LeaseIntended(body) if body.lease == *lease => Some((placed.time, body.not_after)),
            _ => None,
        });
        let (at, not_after) = announced.ok_or_else(|| Problem::bug(format!("no lease `{lease}`")))?;
        let (now, last) = (self.now(), at.plus(MAX_ANNOUNCEMENT_AGE_SECONDS + MINT_SECONDS));
        if now < last {
            return Ok(Some(last));
        }
        if now < not_after {
            self.revoke_lease(id, lease).await?;
        }
        Ok(None)
    }

    /// Says in the log that a lease was minted. Said before: nothing more happens.
    pub(crate) async fn record_issued(
        &self,
        id: &RequestId,
        lease: &LeaseId,
        certificate: &str,
    ) -> Result<(), Problem> {
        let facts = read_certificate(certificate).map_err(Problem::bug)?.public_facts();
        let issued = LeaseIssued { lease: lease.clone(), attestation_sha256: None };
        self.record_lease(id, &Command::RecordIssued(issued), Some(facts)).await
    }

    /// Puts a lease on the revocation list, and says so in the log. A repeat changes nothing.
    pub(crate) async fn revoke_lease(&self, id: &RequestId, lease: &LeaseId) -> Result<(), Problem> {
        let people = self.people.now();
        let loaded = self.load_request(id, &people).await?;
        let loaded = loaded.ok_or_else(|| Problem::bug(format!("a lease of no request `{id}`")))?;
        let known = loaded.state.leases().and_then(|leases| leases.get(lease));
        let known = known.ok_or_else(|| Problem::bug(format!("no lease `{lease}`")))?;
        if known.status == LeaseStatus::Revoked {
            return Ok(());
        }
        let serial = known.serial.parse().map_err(Problem::bug)?;
        let number = self.issuer.revoke(serial, self.now()).map_err(refused)?;
        // A crash here: it is on the list and not said to be; the effect runs again and says it.
        let revoked =
            LeaseRevoked { lease: lease.clone(), list_number: number.to_string(), attestation_sha256: None };
        self.record_lease(id, &Command::RecordRevoked(revoked), None).await
    }

    async fn record_lease(
        &self,
        id: &RequestId,
        command: &Command,
        certificate: Option<serde_json::Map<String, Value>>,
    ) -> Result<(), Problem> {
        for _ in 0..MAX_ATTEMPTS {
            let (now, people) = (self.now(), self.people.now());
            let loaded = self.load_request(id, &people).await?;
            let loaded = loaded.ok_or_else(|| Problem::bug(format!("a lease of no request `{id}`")))?;
            let facts = Facts {
                now,
                directory: people.directory(),
                verdict: None,
                standing_verdict: None,
                approvals: &[],
                alerts: people.alerts(),
            };
            let events = decide(Some(&loaded.state), command.clone(), &facts)?;
            if events.is_empty() {
                return Ok(());
            }
            let mut record = Record::of(id, Some(&loaded), now).with(events);
            record.certificate.clone_from(&certificate);
            match self.record(record, &people).await {
                Err(problem) if problem.is_conflict() => {}
                answer => return answer.map(|_| ()),
            }
        }
        Err(Problem::fault("a lease met with conflicts without end"))
    }
}

/// What is kept beside each event.
fn beside(event: RequestEvent, assessed: &Assessed) -> (RequestEvent, Option<Value>) {
    match event {
        RequestEvent::Judged(_) => (event, Some(assessed.private(Phase::Issue))),
        _ => (event, None),
    }
}

fn denied(assessed: &Assessed) -> Problem {
    let mut problem = Problem::from(Refusal::DeniedByPolicy);
    for reason in &assessed.verdict.document().reasons {
        problem = problem.at("", format!("{}: {}; {}", reason.rule, reason.message, reason.remedy));
    }
    problem
}

fn refused(error: IssueError) -> Problem {
    match error {
        IssueError::Plan(plan) => Problem::invalid(
            "credential_not_possible",
            plan.to_string(),
            "ask again with what the credential needs; `chancery entitlement view` shows the form",
        ),
        IssueError::Fault(detail) => Problem::fault(detail),
        IssueError::NotFresh => Problem::refused(
            axum::http::StatusCode::CONFLICT,
            "lease_lapsed",
            error.to_string(),
            "ask for another credential, with a new idempotency key",
        ),
        error @ (IssueError::Evidence(_) | IssueError::NotAllowed(_) | IssueError::Unknown(_)) => {
            tracing::error!(%error, "the issuer refused");
            Problem::refused(
                axum::http::StatusCode::FORBIDDEN,
                "issuer_refused",
                error.to_string(),
                "the issuer verifies everything itself; `chancery evidence export` and `chancery verify` show the same",
            )
        }
    }
}
