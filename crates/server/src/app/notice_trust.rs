//! From an unsealed server to a sealed one: `chancery trust seal` writes trust/ beside it, the server holds it
//! against its own log and keys, and only then says so in the log.

use std::sync::{Arc, PoisonError};

use chancery_domain::event::{TrustEvent, TrustSealed, from_parts, to_parts};
use chancery_domain::leaf::Stream;
use chancery_evidence::identity::Chain;
use chancery_store::{Append, Fault, NewEvent, Store as _, StreamAppend};

use super::{App, StartError};
use crate::problem::Problem;
use crate::trust::{self, OwnKeys, TrustFault, Trusted};

impl App {
    /// At the start: takes up the root that the log says was sealed, which must be the one in the folder; before
    /// the seal, follows the log unsealed.
    pub(super) async fn take_up_trust(&self) -> Result<(), StartError> {
        let sealed = self.store.stream(&Stream::Trust, 1).await?;
        let Some(newest) = sealed.last() else {
            self.people.follow(&self.store).await?;
            return Ok(());
        };
        let event = from_parts::<TrustEvent>(&newest.leaf.kind, &newest.leaf.body);
        let TrustEvent::Sealed(TrustSealed { sha256, .. }) =
            event.map_err(|error| Fault::Damaged(error.to_string()))?;
        let trusted =
            trust::read(&self.config.trust())?.ok_or(TrustFault::Misfit("digest (it is missing)"))?;
        if trusted.root().sha256() != sha256 {
            return Err(TrustFault::Misfit("digest").into());
        }
        self.check_fit(&trusted)?;
        self.people.restart(Chain::from_trust(trusted.root()), &self.store).await?;
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
        self.check_fit(&trusted).map_err(misfit)?;
        let root = trusted.root();
        if root.document().policy.genesis_sha256 != self.policy.bundle().digest() {
            return Err(misfit(TrustFault::Misfit("policy")));
        }
        // INVARIANT: the log is verified under the root before the root is believed, so that nobody can be in it
        // whom the root does not name.
        let chain = Chain::from_trust(root);
        let sealed = TrustSealed { version: root.document().version, sha256: root.sha256() };
        self.people.restart(chain, &self.store).await.map_err(misfit)?;
        self.append_sealed(sealed).await?;
        // A crash here leaves the event without effect until the next start, which takes it up.
        self.believe(trusted);
        tracing::info!("the trust root is sealed");
        Ok(())
    }

    async fn append_sealed(&self, sealed: TrustSealed) -> Result<(), Problem> {
        let (kind, body) = to_parts(&TrustEvent::Sealed(sealed)).map_err(Problem::bug)?;
        let event = NewEvent { kind, body, private: None, attestation: None };
        let mut append = Append::at(self.now());
        append.streams.push(StreamAppend { stream: Stream::Trust, expected_version: 0, events: vec![event] });
        self.append(append).await?;
        Ok(())
    }

    fn check_fit(&self, trusted: &Trusted) -> Result<(), TrustFault> {
        let own = OwnKeys {
            log: &self.log_key,
            attestation: self.attestor.public_key(),
            ssh_ca: &self.issuer.authority().line(""),
            site: &self.relying_party,
        };
        trust::check_fit(trusted.root(), &own)
    }

    fn believe(&self, trusted: Trusted) {
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
