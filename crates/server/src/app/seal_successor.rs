//! From one version of the trust root to the next: administrators sign what was proposed beside the server, the log says
//! so, and from that leaf on the server and its issuer hold everything against it.

use std::sync::Arc;

use axum::http::StatusCode;
use chancery_api::enrolment::Progress;
use chancery_api::trust::{TrustOutcome, TrustSignature, TrustSuccessor};
use chancery_canonical::Sha256;
use chancery_domain::event::{TrustEvent, TrustSealed, to_parts};
use chancery_domain::id::PersonId;
use chancery_domain::leaf::Stream;
use chancery_domain::people::IDENTITY_ADMIN;
use chancery_domain::signature::PersonSignature;
use chancery_domain::time::Timestamp;
use chancery_evidence::trust::{
    MAX_SUCCESSOR_OFFER_SECONDS, SuccessorRefusal, TrustDirectory, TrustRoot, accept_successor,
    check_standing, trust_challenge,
};
use chancery_faults::step;
use chancery_store::{Append, Document, NewEvent, Store as _, StreamAppend};

use super::{App, Snapshot};
use crate::http::body::parse_member;
use crate::http::convert;
use crate::problem::Problem;
use crate::successor::{Proposal, SUCCESSOR};
use crate::trust::{self, Trusted};

/// A proposal that may be signed now.
struct Offered {
    trusted: Arc<Trusted>,
    proposal: Proposal,
    next: TrustRoot,
    expires_at: Timestamp,
}

impl Offered {
    fn signed_by(&self) -> Vec<String> {
        self.proposal.signatures.iter().map(|one| one.person.to_string()).collect()
    }

    fn needed(&self) -> u32 {
        let of = |root: &TrustRoot| root.document().administrators_needed;
        of(self.trusted.root()).max(of(&self.next))
    }

    /// Who did not sign yet, may, and would count by the log.
    fn may_sign(&self, reader: &PersonId, people: &Snapshot) -> bool {
        let administrates = people.active(reader).is_some_and(|known| known.roles.contains(IDENTITY_ADMIN));
        administrates && !self.proposal.signatures.iter().any(|one| one.person == *reader)
    }
}

impl App {
    /// What was proposed, for an administrator to look at and sign.
    pub(crate) async fn show_successor(&self, reader: &PersonId) -> Result<TrustSuccessor, Problem> {
        let (now, people) = (self.now(), self.people.now());
        let offered = self.offered_successor(&people, now)?;
        let may_sign = offered.may_sign(reader, &people);
        let challenge = trust_challenge(&offered.next);
        Ok(TrustSuccessor {
            current: offered.trusted.root().canonical().as_str().to_owned(),
            current_sha256: offered.trusted.root().sha256().to_hex(),
            successor: offered.proposal.trust.clone(),
            successor_sha256: offered.next.sha256().to_hex(),
            signed_by: offered.signed_by(),
            needed: offered.needed(),
            expires_at: offered.expires_at.to_string(),
            public_key: may_sign.then(|| self.request_options(&challenge, reader, &people)),
        })
    }

    /// Adds a signature, and seals the successor when it was the last one needed.
    pub(crate) async fn sign_successor(
        &self,
        actor: &PersonId,
        asked: &TrustSignature,
    ) -> Result<TrustOutcome, Problem> {
        let _turn = self.identity_acts.lock().await;
        // A change before this one may stand in the log without having been taken in, if a read failed then.
        self.people.follow(&self.store).await?;
        let (now, people) = (self.now(), self.people.now());
        let mut offered = self.offered_successor(&people, now)?;
        let signed: Sha256 = parse_member("/successor_sha256", &asked.successor_sha256)?;
        if signed != offered.next.sha256() {
            return Err(gone());
        }
        let assertion = convert::assertion("/assertion", &asked.assertion)?;
        offered.proposal.signatures.push(PersonSignature { person: actor.clone(), assertion });
        let leaf_index = match self.accept(&offered, &people) {
            // INVARIANT: too few is said only after every signature that is there was verified.
            Err(SuccessorRefusal::TooFew { .. }) => {
                offered.proposal.write(&self.config.data).map_err(Problem::fault)?;
                None
            }
            Err(refusal) => return Err(refusal.into()),
            // It stands in no leaf before the next life of the log begins, with it.
            Ok(()) if self.rotation.is_some() => {
                offered.proposal.write(&self.config.data).map_err(Problem::fault)?;
                return Ok(outcome(&offered, Progress::Recorded, None));
            }
            Ok(()) => Some(self.seal_successor(&offered, now).await?),
        };
        let status = if leaf_index.is_some() { Progress::Recorded } else { Progress::Waiting };
        Ok(outcome(&offered, status, leaf_index))
    }

    /// Whether this server could go on with it: under the same log, or, where its life is over, by closing it as it is.
    fn check_next(&self, next: &TrustRoot) -> Result<(), Problem> {
        let Some(rotation) = &self.rotation else { return self.check_fit(next).map_err(unfit) };
        let logs = &next.document().logs;
        let closed = logs.iter().find(|log| log.origin == rotation.from).and_then(|log| log.closed.as_ref());
        if closed == Some(&rotation.closed) && next.log_origin() == rotation.to.as_str() {
            return Ok(());
        }
        Err(unfit("it does not close this life of the log where it ended"))
    }

    /// By both versions, and by the people of the log.
    fn accept(&self, offered: &Offered, people: &Snapshot) -> Result<(), SuccessorRefusal> {
        let signatures = &offered.proposal.signatures;
        check_standing(&offered.next, signatures, people.directory())?;
        accept_successor(offered.trusted.root(), &offered.next, signatures)
    }

    /// What waits in the data folder, when it may follow what is believed now and this server could go on with it.
    fn offered_successor(&self, people: &Snapshot, now: Timestamp) -> Result<Offered, Problem> {
        let trusted = self.sealed()?;
        let proposal = Proposal::read(&self.config.data).map_err(Problem::fault)?;
        let proposal = proposal.ok_or_else(|| Problem::not_found("successor of the trust root"))?;
        let next = proposal.root().map_err(unfit)?;
        let created_at = next.document().created_at;
        let offered =
            Offered { trusted, proposal, next, expires_at: created_at.plus(MAX_SUCCESSOR_OFFER_SECONDS) };
        match self.accept(&offered, people) {
            Ok(()) | Err(SuccessorRefusal::TooFew { .. }) => {}
            Err(refusal) => return Err(refusal.into()),
        }
        self.check_next(&offered.next)?;
        if now < created_at || now >= offered.expires_at {
            return Err(gone());
        }
        Ok(offered)
    }

    /// Event, folder, issuer, memory, in this order; the leaf of the event.
    async fn seal_successor(&self, offered: &Offered, now: Timestamp) -> Result<u64, Problem> {
        let current = self.sealed()?;
        let mut lineage = current.directory.lineage().clone();
        lineage.succeed(offered.next.clone(), offered.proposal.signatures.clone())?;
        let directory = TrustDirectory::from(lineage);
        let files = directory.files().map_err(Problem::bug)?;
        let _changing = self.people.change().await;
        let leaf_index = self.append_successor(offered, &current, now).await?;
        // A crash here: the next start makes the folder from what the append holds.
        if let Err(fault) = step("trust.folder", || trust::write(&self.config.trust(), &files)) {
            tracing::error!(%fault, "trust/ is behind the log; the next start makes it anew");
        }
        // It follows before it mints, so what fails here is tried again then.
        if let Err(fault) = self.issuer.follow(&directory, now) {
            tracing::error!(%fault, "the issuer does not follow yet");
        }
        self.people.take_up(&offered.next, trust::in_force(leaf_index)).await;
        self.believe(Trusted { directory, files });
        // What stays behind by a crash here follows nothing any more, and is refused as such.
        let _ = std::fs::remove_file(self.config.data.join(SUCCESSOR));
        tracing::info!(version = offered.next.document().version, "a successor of the trust root is sealed");
        Ok(leaf_index)
    }

    async fn append_successor(
        &self,
        offered: &Offered,
        current: &Trusted,
        now: Timestamp,
    ) -> Result<u64, Problem> {
        let sealed = TrustSealed {
            version: offered.next.document().version,
            sha256: offered.next.sha256(),
            signatures: offered.proposal.signatures.clone(),
        };
        let (kind, body) = to_parts(&TrustEvent::Sealed(sealed)).map_err(Problem::bug)?;
        let event = NewEvent { kind, body, private: None, attestation: None };
        let expected_version = self.store.stream(&Stream::Trust, 1).await?.len() as u64;
        let mut append = Append::at(now);
        append.documents = [current.root(), &offered.next].map(document).to_vec();
        append.streams.push(StreamAppend { stream: Stream::Trust, expected_version, events: vec![event] });
        let appended = self.append(append).await?;
        let position = appended.positions.first().ok_or_else(|| Problem::bug("an append without a leaf"))?;
        Ok(position.leaf_index)
    }
}

fn outcome(offered: &Offered, status: Progress, leaf_index: Option<u64>) -> TrustOutcome {
    TrustOutcome {
        status,
        version: offered.next.document().version,
        successor_sha256: offered.next.sha256().to_hex(),
        signed_by: offered.signed_by(),
        needed: offered.needed(),
        leaf_index,
    }
}

/// A root as it is kept beside the log, so that the folder can be made again.
pub(crate) fn document(root: &TrustRoot) -> Document {
    Document {
        sha256: root.sha256(),
        media_type: "application/json".to_owned(),
        bytes: root.canonical().as_bytes().to_vec(),
    }
}

fn gone() -> Problem {
    Problem::refused(
        StatusCode::CONFLICT,
        "offer_used",
        "that successor of the trust root is not offered here, or its time is over",
        "propose it again on the server's host, with `chancery trust propose`",
    )
}

fn unfit(error: impl std::fmt::Display) -> Problem {
    Problem::refused(
        StatusCode::CONFLICT,
        "trust_misfit",
        format!("the proposed trust root does not fit this installation: {error}"),
        "propose another on the server's host, with `chancery trust propose --replace`",
    )
}
