//! The making of a passkey: what the browser is asked for, and what it gives back.

use chancery_api::passkey::{
    AuthenticatorSelection, CreationOptions, CredentialDescriptor, CredentialParameters, Registration,
    RelyingPartyEntity, UserEntity,
};
use chancery_canonical::base64::encode_url;
use chancery_canonical::{Bytes, Canonical, Sha256};
use chancery_domain::event::Passkey;
use chancery_domain::id::PersonId;
use chancery_evidence::authenticator::{AttestationRefusal, verify_attestation};
use chancery_evidence::registration::{RegistrationResponse, verify_registration};
use chancery_store::{Document, Store as _, Ticket, TicketKey};
use serde_json::json;

use super::App;
use crate::http::convert;
use crate::problem::Problem;

/// Sort of tickets.
const REGISTRATION: &str = "registration";

impl App {
    /// What to make a passkey with; the challenge is kept under `key`.
    pub(crate) async fn creation_options(
        &self,
        key: &str,
        person: &PersonId,
        name: &str,
        exclude: Vec<CredentialDescriptor>,
    ) -> Result<CreationOptions, Problem> {
        let (now, challenge) = (self.now(), self.random.bytes::<32>()?);
        let value = json!({ "challenge": Sha256::from_bytes(challenge) });
        let (kind, key) = (REGISTRATION.to_owned(), key.to_owned());
        self.store.put_ticket(Ticket { kind, key, value, expires_at: now.plus(900) }).await?;
        let algorithm = |alg| CredentialParameters { credential_type: "public-key".to_owned(), alg };
        Ok(CreationOptions {
            rp: RelyingPartyEntity { id: self.relying_party.id().to_owned(), name: "Chancery".to_owned() },
            user: UserEntity {
                id: encode_url(person.as_str().as_bytes()),
                name: name.to_owned(),
                display_name: name.to_owned(),
            },
            challenge: encode_url(&challenge),
            pub_key_cred_params: [-7, -8, -257].map(algorithm).to_vec(),
            timeout: 300_000,
            exclude_credentials: exclude,
            authenticator_selection: AuthenticatorSelection {
                resident_key: "required".to_owned(),
                require_resident_key: true,
                user_verification: "required".to_owned(),
            },
            attestation: if self.attestation_roots().is_empty() { "none" } else { "direct" }.to_owned(),
        })
    }

    /// The passkey of a registration whose challenge was offered here; each challenge works once. With it the
    /// registration itself, where a maker that is believed stands behind the passkey.
    pub(crate) async fn registered(
        &self,
        key: &str,
        registration: &Registration,
    ) -> Result<(Passkey, Option<Document>), Problem> {
        let key = TicketKey { kind: REGISTRATION.to_owned(), key: key.to_owned() };
        let ticket = self.store.take_ticket(&key, self.now()).await?;
        let challenge = ticket.and_then(|ticket| ticket.value.get("challenge").cloned());
        let challenge: Option<Sha256> = challenge.and_then(|value| serde_json::from_value(value).ok());
        let challenge = challenge.ok_or_else(|| {
            Problem::refused(
                axum::http::StatusCode::CONFLICT,
                "offer_used",
                "no registration was offered here, or it was used before",
                "begin again with `POST /api/v1/enrolments/options`",
            )
        })?;
        let response = RegistrationResponse {
            attestation_object: convert::bytes(
                "/registration/attestation_object",
                &registration.attestation_object,
            )?,
            client_data_json: convert::bytes(
                "/registration/client_data_json",
                &registration.client_data_json,
            )?,
        };
        let registered = verify_registration(&response, &self.relying_party, &challenge)?;
        let long = |_| {
            Problem::invalid(
                "passkey_too_large",
                "the passkey's id or public key is longer than the log takes",
                "enrol another passkey",
            )
        };
        let document = self.judge_attestation(&response)?;
        let passkey = Passkey {
            credential_id: Bytes::new(registered.credential_id().as_bytes()).map_err(long)?,
            public_key: Bytes::new(registered.public_key().as_bytes()).map_err(long)?,
            aaguid: Bytes::new(registered.aaguid()).map_err(long)?,
            backup_eligible: registered.backup_eligible(),
            attestation_sha256: document.as_ref().map(|document| document.sha256),
        };
        Ok((passkey, document))
    }

    /// The registration as it is kept, where a believed maker says which model made the passkey.
    fn judge_attestation(&self, response: &RegistrationResponse) -> Result<Option<Document>, Problem> {
        let roots = self.attestation_roots();
        if roots.is_empty() {
            return Ok(None);
        }
        match verify_attestation(response, &roots, self.now()) {
            Ok(_) => {
                let document = Canonical::of(response).map_err(Problem::bug)?;
                let (sha256, bytes) = (document.digest(), document.as_bytes().to_vec());
                Ok(Some(Document { sha256, media_type: "application/json".to_owned(), bytes }))
            }
            // Other passkeys are welcome; they only do not count as hardware.
            Err(
                refusal @ (AttestationRefusal::NoMaker(_)
                | AttestationRefusal::UnsupportedAlgorithm(_)
                | AttestationRefusal::Certificate
                | AttestationRefusal::ModelNotListed(_)
                | AttestationRefusal::Untrusted { .. }),
            ) => {
                tracing::info!(code = refusal.code(), reason = %refusal, "a passkey is not attested");
                Ok(None)
            }
            Err(
                refusal @ (AttestationRefusal::Registration(_)
                | AttestationRefusal::AuthenticatorData(_)
                | AttestationRefusal::MalformedStatement
                | AttestationRefusal::OtherModel
                | AttestationRefusal::BadSignature),
            ) => Err(refusal.into()),
        }
    }
}
