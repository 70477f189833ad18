//! Getting back in: a link for somebody who lost all keys, and the documents that offline recovery keys sign when
//! too few administrators are left to do it. A link confers nothing: whoever uses it has a key that waits for
//! signatures, and after them for a day.

use axum::http::StatusCode;
use chancery_api::enrolment::{EnrolmentOutcome, Invitation, Progress};
use chancery_api::identity::IdentityOutcome;
use chancery_api::recovery::{RecoveryDocument, RecoveryDocumentRequest, RecoverySubmission};
use chancery_canonical::Bytes;
use chancery_domain::document::{IdentityDocument, IdentityType, Signed as _};
use chancery_domain::event::Passkey;
use chancery_domain::id::PersonId;
use chancery_domain::signature::{Authority, RecoverySignature};
use chancery_evidence::identity::subject_of;
use chancery_evidence::recovery::{MAX_RECOVERY_OFFER_SECONDS, recovery_challenge};
use chancery_store::{Document, TicketKey};

use super::App;
use super::change_identity::{OfferedAct, enrolled_body};
use super::enrol_person::{INVITATION, Invited, WaitingPasskey};
use crate::http::body::parse_member;
use crate::http::convert;
use crate::problem::Problem;
use crate::random::token_key;

impl App {
    /// An administrator begins the recovery of somebody else.
    pub(crate) async fn begin_recovery(&self, actor: &PersonId, person: &str) -> Result<Invitation, Problem> {
        self.sealed()?;
        self.administrator(actor)?;
        let person: PersonId = parse_member("/person", person)?;
        if person == *actor {
            return Err(Problem::forbidden("another administrator begins your recovery"));
        }
        let people = self.people.now();
        let known = people.directory().person(&person).ok_or_else(|| Problem::not_found("person"))?;
        if let Some(recovery) = known.running_recovery(self.now()) {
            return Err(Problem::refused(
                StatusCode::CONFLICT,
                "recovery_running",
                format!("a recovery of this person is running until {}", recovery.counts_from),
                "wait, or stop it first with `chancery person recover ID --stop`",
            ));
        }
        let invited = Invited {
            person,
            roles: known.roles.clone(),
            attributes: known.attributes.clone(),
            invited_by: Some(actor.clone()),
            recovers: true,
        };
        self.make_link(&invited).await
    }

    /// The key that was made with such a link waits for signatures.
    pub(super) async fn let_recovery_wait(
        &self,
        invited: Invited,
        (passkey, registration): (Passkey, Option<Document>),
        token: &str,
    ) -> Result<EnrolmentOutcome, Problem> {
        self.sealed()?;
        let person = invited.person.to_string();
        let waiting = WaitingPasskey {
            act: "person.recovered".to_owned(),
            person: invited.person,
            passkey,
            name: None,
            roles: invited.roles,
            attributes: invited.attributes,
            invited_by: invited.invited_by,
        };
        let used = TicketKey { kind: INVITATION.to_owned(), key: token_key(token) };
        let enrolment = self.let_wait(&waiting, registration, Some(used)).await?;
        Ok(EnrolmentOutcome { status: Progress::Waiting, person, enrolment: Some(enrolment) })
    }

    /// The document that recovery keys sign for a key that waits. Nobody need be signed in: it is good for nothing
    /// without their signatures.
    pub(crate) async fn offer_recovery(
        &self,
        asked: &RecoveryDocumentRequest,
    ) -> Result<RecoveryDocument, Problem> {
        let sealed = self.sealed()?;
        let recovery = &sealed.root().document().recovery;
        if recovery.keys.is_empty() {
            return Err(Problem::refused(
                StatusCode::CONFLICT,
                "recovery_no_keys",
                "trust.json names no recovery keys",
                "let two identity administrators sign the enrolment on the page",
            ));
        }
        let now = self.now();
        let waiting = self.waiting_passkey(&asked.enrolment, now).await?;
        let document = IdentityDocument {
            document_type: IdentityType::V1,
            log_origin: self.config.log_origin.clone(),
            act: waiting.act.clone(),
            body: enrolled_body(&waiting)?,
            nonce: self.random.token()?,
            issued_at: now,
            expires_at: now.plus(MAX_RECOVERY_OFFER_SECONDS),
        };
        let canonical = document.canonical().map_err(Problem::bug)?;
        let offered = OfferedAct {
            document: canonical.clone(),
            signatures: Vec::new(),
            enrolment: Some(asked.enrolment.clone()),
            disclosures: waiting.name.clone().into_iter().collect(),
        };
        self.put_act(&offered, document.expires_at).await?;
        Ok(RecoveryDocument {
            document_sha256: canonical.digest().to_hex(),
            challenge: recovery_challenge(&canonical).to_hex(),
            document: canonical.as_str().to_owned(),
            needed: recovery.threshold,
            keys: recovery.keys.iter().map(ToString::to_string).collect(),
            expires_at: document.expires_at.to_string(),
        })
    }

    /// Records what enough recovery keys signed.
    pub(crate) async fn record_recovery(
        &self,
        asked: &RecoverySubmission,
    ) -> Result<IdentityOutcome, Problem> {
        self.sealed()?;
        let _turn = self.identity_acts.lock().await;
        // A change before this one may stand in the log without having been taken in, if a read failed then.
        self.people.follow(&self.store).await?;
        let document = convert::document("/document", &asked.document)?;
        let (now, people) = (self.now(), self.people.now());
        let offered = self.offered(&document, now).await?;
        let identity: IdentityDocument =
            document.decode().map_err(|error| Problem::member("/document", error))?;
        let signatures = asked.signatures.iter().map(signature).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<String> = asked.signatures.iter().map(|one| one.public_key.clone()).collect();
        let authority = Authority::RecoveryKeys { document: document.clone(), signatures };
        let (leaf, event) = self.leaf_by(&authority, &identity, now).await?;
        people.chain.clone().admit(u64::MAX, &leaf)?;
        let person = subject_of(&event).to_string();
        tracing::warn!(%person, act = %identity.act, keys = keys.len(), "recovery keys were used");
        let leaf_index = Some(self.record_act(&offered, leaf, now).await?);
        Ok(IdentityOutcome {
            status: Progress::Recorded,
            document_sha256: document.digest().to_hex(),
            person,
            needed: u32::try_from(keys.len()).unwrap_or(u32::MAX),
            signed_by: keys,
            leaf_index,
        })
    }
}

fn signature(given: &chancery_api::recovery::RecoverySignature) -> Result<RecoverySignature, Problem> {
    let public_key: Bytes<32> = convert::bytes("/signatures", &given.public_key)?;
    let signature: Bytes<64> = convert::bytes("/signatures", &given.signature)?;
    Ok(RecoverySignature { public_key, signature })
}
