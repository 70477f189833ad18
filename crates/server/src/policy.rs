//! The active policy bundle, ready to judge.

use std::path::Path;

use chancery_canonical::Sha256;
use chancery_domain::event::{PolicyActivated, PolicyEvent, from_parts};
use chancery_domain::leaf::Stream;
use chancery_policy::{Bundle, BundleError, Engine};
use chancery_store::{Fault, SqliteStore, Store as _};

/// Why there is no policy to judge by.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFault {
    /// The bundle is not in order.
    #[error("the policy bundle is refused: {0}")]
    Bundle(#[from] BundleError),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] Fault),
    /// The log activates none.
    #[error("the log activates no policy: this is not an initialised installation")]
    NeverActivated,
    /// The folder holds another bundle than the active one.
    #[error("the policy folder holds bundle `{found}`, active is `{active}`: put the active one back")]
    OtherBundle {
        /// What is in the folder.
        found: Sha256,
        /// What the log says.
        active: Sha256,
    },
}

/// The bundle that the log says is active, compiled.
pub async fn load_active(folder: &Path, store: &SqliteStore) -> Result<Engine, PolicyFault> {
    let events = store.stream(&Stream::Policy, 1).await?;
    let newest = events.last().ok_or(PolicyFault::NeverActivated)?;
    let event = from_parts::<PolicyEvent>(&newest.leaf.kind, &newest.leaf.body);
    let PolicyEvent::Activated(PolicyActivated { to: active, .. }) =
        event.map_err(|error| Fault::Damaged(error.to_string()))?;
    let bundle = Bundle::read(folder)?;
    if bundle.digest() != active {
        return Err(PolicyFault::OtherBundle { found: bundle.digest(), active });
    }
    Ok(Engine::prepare(bundle)?)
}
