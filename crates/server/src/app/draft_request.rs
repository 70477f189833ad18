//! Drafting: from a filled form to the document that is signed, and what would come of it. Nothing is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use chancery_api::passkey::RequestOptions;
use chancery_api::request::{Draft, DraftRequest, Missing, Preview, StageView};
use chancery_canonical::{Canonical, Disclosure};
use chancery_domain::count;
use chancery_domain::document::{
    ArtifactReference, AskedClocks, Beneficiary, EntitlementReference, RequestDocument, RequestType,
    Signed as _, challenge,
};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::refusal::Refusal;
use chancery_domain::seats;
use chancery_domain::state::{Asked, State};
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::{Outcome, VerdictDocument};
use chancery_evidence::ssh_key::SshPublicKey;
use chancery_policy::input::Phase;
use chancery_store::{Store as _, TicketKey};
use serde_json::Value;

use super::assess_request::Assessment;
use super::{App, Snapshot};
use crate::http::body::{is_media_type, parse_member};
use crate::problem::Problem;
use crate::routes::view;

/// Longest justification or reason, in characters.
pub const MAX_REASON: usize = 2000;
/// Longest ticket number.
const MAX_TICKET: usize = 100;
/// Most artifacts of one request.
const MAX_ARTIFACTS: usize = 16;
/// Longest name of an artifact.
const MAX_ARTIFACT_NAME: usize = 100;
/// Largest filled form, in bytes of its canonical form.
const MAX_PARAMETERS: usize = 32 * 1024;
/// Longest grant that can be asked for: a week. Policy makes it shorter.
const MAX_GRANT_SECONDS: u64 = 7 * 24 * 3600;
/// Sort of ticket of a file that somebody put.
const UPLOAD: &str = "upload";
/// How far ahead a grant may start: 30 days.
const MAX_AHEAD_SECONDS: u64 = 30 * 24 * 3600;

impl App {
    /// Makes the document and the preview.
    pub(crate) async fn draft_request(
        &self,
        requester: &PersonId,
        address: Option<IpAddr>,
        asked: DraftRequest,
    ) -> Result<Draft, Problem> {
        let (now, people) = (self.now(), self.people.now());
        let (id, revision) = self.draft_id(requester, asked.revises.as_deref(), &people, now).await?;
        let disclosures = self.conceal_justification(asked.justification.as_deref())?;
        let document = self.document(requester, id, revision, &asked, &disclosures, now)?;
        self.check_request(&document, now).await?;
        let assessment = Assessment {
            phase: Phase::Request,
            request: &document,
            disclosures: &disclosures,
            approvals: &[],
            address,
            now,
        };
        let assessed = self.assess(assessment, &people).await?;
        let preview = preview(assessed.verdict.document(), &document, &people);
        let canonical = document.canonical().map_err(|error| Problem::member("/parameters", error))?;
        let signed = challenge::<RequestDocument>(&canonical);
        Ok(Draft {
            request_sha256: canonical.digest().to_hex(),
            challenge: chancery_canonical::base64::encode_url(signed.as_bytes()),
            public_key: self.request_options(&signed, requester, &people),
            document: canonical.as_str().to_owned(),
            disclosures: disclosures.iter().map(|one| one.as_str().to_owned()).collect(),
            preview,
        })
    }

    /// A new id, or the next revision of a request that the drafter made.
    async fn draft_id(
        &self,
        requester: &PersonId,
        revises: Option<&str>,
        people: &Snapshot,
        now: Timestamp,
    ) -> Result<(RequestId, u32), Problem> {
        let Some(revises) = revises else { return Ok((self.random.request_id(now)?, 1)) };
        let id: RequestId = parse_member("/revises", revises)?;
        let loaded = self.find_request(&id, requester, people).await?;
        let asked = loaded.asked();
        if asked.requester != *requester {
            return Err(Refusal::NotYours.into());
        }
        match &loaded.state {
            State::Pending(_) | State::Approved(_) => Ok((id, asked.revision.saturating_add(1))),
            other => Err(Refusal::WrongState { state: other.name() }.into()),
        }
    }

    fn conceal_justification(&self, justification: Option<&str>) -> Result<Vec<Disclosure>, Problem> {
        let Some(text) = justification else { return Ok(Vec::new()) };
        check_text("/justification", text, MAX_REASON)?;
        let disclosure = Disclosure::new(&self.random.bytes()?, "justification", Value::from(text));
        Ok(vec![disclosure.map_err(|error| Problem::member("/justification", error))?])
    }

    fn document(
        &self,
        requester: &PersonId,
        id: RequestId,
        revision: u32,
        asked: &DraftRequest,
        disclosures: &[Disclosure],
        now: Timestamp,
    ) -> Result<RequestDocument, Problem> {
        let entitlement =
            self.policy.bundle().entitlement(&asked.entitlement).ok_or_else(unknown_entitlement)?;
        let beneficiary = match &asked.beneficiary {
            Some(person) => parse_member("/beneficiary", person)?,
            None => requester.clone(),
        };
        let public_key = asked.beneficiary_key.as_deref().map(plain_key).transpose()?;
        let not_before = asked.not_before.as_deref().map(|at| parse_member("/not_before", at)).transpose()?;
        let artifacts: Result<Vec<_>, Problem> = asked.artifacts.iter().enumerate().map(artifact).collect();
        Ok(RequestDocument {
            document_type: RequestType::V1,
            log_origin: self.config.log_origin.clone(),
            id,
            revision,
            entitlement: EntitlementReference {
                name: entitlement.name().to_owned(),
                sha256: entitlement.digest(),
            },
            requester: requester.clone(),
            beneficiary: Beneficiary { person: beneficiary, public_key },
            parameters: asked.parameters.clone(),
            artifacts: artifacts?,
            undo: asked.undo.clone(),
            ticket: asked.ticket.clone(),
            clocks: AskedClocks { grant_seconds: asked.grant_seconds, not_before },
            created_at: now,
            concealed: disclosures.iter().map(digest_text).collect(),
        })
    }

    /// Holds a document to every limit, whoever wrote it, and finds its artifacts.
    pub(crate) async fn check_request(
        &self,
        document: &RequestDocument,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if self.policy.bundle().entitlement(&document.entitlement.name).is_none() {
            return Err(unknown_entitlement());
        }
        if self.people.now().active(&document.beneficiary.person).is_none() {
            return Err(Refusal::NotAnActivePerson(document.beneficiary.person.clone()).into());
        }
        check_clocks(&document.clocks, now)?;
        if let Some(ticket) = &document.ticket {
            check_text("/ticket", ticket, MAX_TICKET)?;
        }
        let parameters =
            Canonical::of(&document.parameters).map_err(|error| Problem::member("/parameters", error))?;
        if parameters.as_bytes().len() > MAX_PARAMETERS {
            return Err(Problem::member("/parameters", format!("more than {MAX_PARAMETERS} bytes")));
        }
        if document.concealed.len() > 1 {
            return Err(Problem::member("/_sd", "only the justification may be concealed"));
        }
        self.check_artifacts(document, now).await
    }

    async fn check_artifacts(&self, document: &RequestDocument, now: Timestamp) -> Result<(), Problem> {
        if document.artifacts.len() > MAX_ARTIFACTS {
            return Err(Problem::member("/artifacts", format!("more than {MAX_ARTIFACTS} artifacts")));
        }
        let mut names = BTreeSet::new();
        for (position, artifact) in document.artifacts.iter().enumerate() {
            let pointer = format!("/artifacts/{position}");
            check_text(&format!("{pointer}/name"), &artifact.name, MAX_ARTIFACT_NAME)?;
            if !names.insert(artifact.name.as_str()) {
                return Err(Problem::member(&format!("{pointer}/name"), "the name stands there twice"));
            }
            let unknown =
                || Problem::member(&format!("{pointer}/sha256"), "no such artifact of yours: put it first");
            // INVARIANT: only who had the bytes may name them. Digests of other people's documents are public, and
            // whoever reads a request reads its artifacts.
            let put = self.store.ticket(&uploaded(&document.requester, artifact.sha256), now).await?;
            put.ok_or_else(unknown)?;
            let stored = self.store.document(artifact.sha256).await?.ok_or_else(unknown)?;
            if stored.bytes.len() as u64 != artifact.size {
                return Err(Problem::member(&format!("{pointer}/size"), "is not that of the artifact"));
            }
            // What the bytes are is for the request to say, whoever put the same ones before.
            if !is_media_type(&artifact.media_type) {
                return Err(Problem::member(&format!("{pointer}/media_type"), "is no media type"));
            }
        }
        match document.undo.iter().find(|name| !names.contains(name.as_str())) {
            Some(name) => Err(Problem::member("/undo", format!("`{name}` is no artifact of this request"))),
            None => Ok(()),
        }
    }

    /// What a browser signs a digest with: the person's own passkeys, and while a recovery runs those that can stop it.
    pub(crate) fn request_options(
        &self,
        signed: &chancery_canonical::Sha256,
        person: &PersonId,
        people: &Snapshot,
    ) -> RequestOptions {
        let known = people.directory().person(person);
        let lost = known.and_then(|known| known.running_recovery(self.now())).map(|one| one.lost.values());
        let passkeys = known.map(|known| known.passkeys.values());
        let allowed = passkeys.into_iter().flatten().chain(lost.into_iter().flatten()).map(view::descriptor);
        RequestOptions {
            challenge: chancery_canonical::base64::encode_url(signed.as_bytes()),
            timeout: 300_000,
            rp_id: self.relying_party.id().to_owned(),
            allow_credentials: allowed.collect(),
            user_verification: "required".to_owned(),
        }
    }
}

/// What remembers that this person put this file.
pub fn uploaded(person: &PersonId, sha256: chancery_canonical::Sha256) -> TicketKey {
    TicketKey { kind: UPLOAD.to_owned(), key: format!("{person}/{}", sha256.to_hex()) }
}

/// How a disclosure's digest stands in `_sd`.
pub fn digest_text(disclosure: &Disclosure) -> String {
    chancery_canonical::base64::encode_url(disclosure.digest().as_bytes())
}

/// Holds a text for people to its limit, and to characters that can be shown.
pub fn check_text(pointer: &str, text: &str, longest: usize) -> Result<(), Problem> {
    let shown = |character: char| !character.is_control() || character == '\n' || character == '\t';
    if text.trim().is_empty() || text.chars().count() > longest || !text.chars().all(shown) {
        let wanted = format!("write 1 to {longest} characters, without control characters");
        return Err(Problem::member(pointer, wanted));
    }
    Ok(())
}

fn check_clocks(clocks: &AskedClocks, now: Timestamp) -> Result<(), Problem> {
    if !(1..=MAX_GRANT_SECONDS).contains(&clocks.grant_seconds) {
        return Err(Problem::member("/grant_seconds", format!("must be within 1 to {MAX_GRANT_SECONDS}")));
    }
    match clocks.not_before {
        Some(at) if at > now.plus(MAX_AHEAD_SECONDS) => {
            Err(Problem::member("/not_before", format!("is more than {MAX_AHEAD_SECONDS} seconds ahead")))
        }
        Some(_) | None => Ok(()),
    }
}

fn unknown_entitlement() -> Problem {
    Problem::invalid(
        "entitlement_unknown",
        "the active policy knows no such entitlement",
        "`chancery entitlement list` shows what may be requested",
    )
    .at("/entitlement", "unknown")
}

/// An OpenSSH public key line without its comment.
fn plain_key(line: &str) -> Result<String, Problem> {
    let mut parts = line.split_ascii_whitespace();
    let plain = match (parts.next(), parts.next()) {
        (Some(kind), Some(blob)) => format!("{kind} {blob}"),
        _ => return Err(Problem::member("/beneficiary_key", "is no OpenSSH public key line")),
    };
    SshPublicKey::parse(&plain).map_err(|error| Problem::member("/beneficiary_key", error))?;
    Ok(plain)
}

fn artifact(
    (position, artifact): (usize, &chancery_api::request::ArtifactReference),
) -> Result<ArtifactReference, Problem> {
    Ok(ArtifactReference {
        name: artifact.name.clone(),
        media_type: artifact.media_type.clone(),
        size: artifact.size,
        sha256: parse_member(&format!("/artifacts/{position}/sha256"), &artifact.sha256)?,
    })
}

fn preview(verdict: &VerdictDocument, document: &RequestDocument, people: &Snapshot) -> Preview {
    let asked = Asked {
        id: document.id.clone(),
        revision: document.revision,
        request_sha256: chancery_canonical::Sha256::of(&[]),
        requester: document.requester.clone(),
        beneficiary: document.beneficiary.person.clone(),
        entitlement: document.entitlement.name.clone(),
    };
    let eligible = count::eligible_people(verdict, &asked, people.directory());
    let stages: Vec<StageView> = verdict
        .stages
        .iter()
        .map(|stage| view::stage(stage, &eligible, &BTreeMap::new(), false, people))
        .collect();
    let mut missing: Vec<Missing> = Vec::new();
    if verdict.verdict == Outcome::Deny {
        missing.extend(verdict.reasons.iter().map(|reason| Missing {
            code: reason.rule.clone(),
            pointer: None,
            reason: reason.message.clone(),
            remedy: reason.remedy.clone(),
        }));
    }
    let unfillable = seats::unfillable(&verdict.stages, &eligible);
    let unfillable = unfillable.map(|stage| Refusal::CannotBeFilled(stage.id.clone()));
    let frozen = people.alerts().check_parties(&asked).err();
    missing.extend([unfillable, frozen].into_iter().flatten().map(|refusal| Missing {
        code: refusal.code().to_owned(),
        pointer: None,
        reason: refusal.to_string(),
        remedy: refusal.remedy().to_owned(),
    }));
    Preview { verdict: serde_json::to_value(verdict).unwrap_or_default(), stages, missing }
}
