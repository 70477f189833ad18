//! From an unsealed server to a sealed one: `chancery trust seal` writes trust/ beside it, the server holds it
//! against its own log and keys, and only then says so in the log.

use std::sync::{Arc, PoisonError};

use chancery_domain::event::{TrustEvent, TrustSealed, to_parts};
use chancery_domain::leaf::Stream;
use chancery_evidence::identity::Chain;
use chancery_evidence::trust::TrustRoot;
use chancery_store::{Append, NewEvent, StreamAppend};

use super::seal_successor::document;
use super::{App, StartError};
use crate::problem::Problem;
use crate::trust::{self, OwnKeys, TrustFault, Trusted};

impl App {
    /// At the start: takes up the root that the log says was sealed, which must be the one in the folder; before
    /// the seal, follows the log unsealed.
    pub(super) async fn take_up_trust(&self) -> Result<(), StartError> {
        let sealed = trust::sealed(&self.store).await?;
        if sealed.is_empty() {
            self.people.follow(&self.store).await?;
            return Ok(());
        }
        let trusted = trust::load(&self.config.trust(), &self.store, &sealed).await?;
        self.check_fit(trusted.root())?;
        let chain = trust::chain(&trusted, &self.config.log_origin, &sealed)?;
        self.people.restart(chain, &self.store).await?;
        let followed = self.issuer.follow(&trusted.directory, self.now());
        followed.map_err(|error| StartError::Issuer(error.to_string()))?;
        self.believe(trusted);
        Ok(())
    }

    /// While unsealed: looks whether trust/ is there by now, and seals with it.
    ///
    /// # Errors
    /// A folder that does not fit this log is refused.
    pub(crate) async fn notice_trust(&self) -> Result<(), Problem> {
        if self.trusted().is_some() {
            return Ok(());
        }
        let _turn = self.sealing.lock().await;
        if self.trusted().is_some() {
            return Ok(());
        }
        let Some(trusted) = trust::read(&self.config.trust()).map_err(misfit)? else { return Ok(()) };
        let root = trusted.root();
        self.check_fit(root).map_err(misfit)?;
        if root.document().policy.genesis_sha256 != self.policy.bundle().digest() {
            return Err(misfit(TrustFault::Misfit("policy")));
        }
        // INVARIANT: the log is verified under the root before the root is believed, so that nobody can be in it
        // whom the root does not name.
        let chain = Chain::from_trust(root);
        self.people.restart(chain, &self.store).await.map_err(misfit)?;
        self.issuer.follow(&trusted.directory, self.now()).map_err(misfit)?;
        self.append_sealed(root).await?;
        // A crash here leaves the event without effect until the next start, which takes it up.
        self.believe(trusted);
        tracing::info!("the trust root is sealed");
        Ok(())
    }

    async fn append_sealed(&self, root: &TrustRoot) -> Result<(), Problem> {
        let (version, sha256) = (root.document().version, root.sha256());
        let sealed = TrustSealed { version, sha256, signatures: Vec::new() };
        let (kind, body) = to_parts(&TrustEvent::Sealed(sealed)).map_err(Problem::bug)?;
        let event = NewEvent { kind, body, private: None, attestation: None };
        let mut append = Append::at(self.now());
        append.documents.push(document(root));
        append.streams.push(StreamAppend { stream: Stream::Trust, expected_version: 0, events: vec![event] });
        self.append(append).await?;
        Ok(())
    }

    /// Whether this server could go on under a root.
    pub(super) fn check_fit(&self, root: &TrustRoot) -> Result<(), TrustFault> {
        // A key that was made beside the server is read when a root names it.
        self.issuer.look_again().map_err(|error| TrustFault::File(std::io::Error::other(error)))?;
        let lines: Vec<String> = self.issuer.authorities().iter().map(|key| key.line("")).collect();
        let own = OwnKeys {
            log: &self.log_key,
            attestation: self.attestor.public_key(),
            ssh_cas: &lines,
            site: &self.relying_party,
        };
        trust::check_fit(root, &own)
    }

    pub(super) fn believe(&self, trusted: Trusted) {
        *self.trust.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(trusted));
    }
}

fn misfit(error: impl std::fmt::Display) -> Problem {
    Problem::refused(
        axum::http::StatusCode::CONFLICT,
        "trust_misfit",
        format!("the trust folder does not fit this installation: {error}"),
        "run `chancery server doctor`; seal again in an empty folder",
    )
}
