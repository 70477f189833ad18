//! The active policy bundle, ready to judge.

use std::path::Path;

use chancery_canonical::Sha256;
use chancery_domain::event::{PolicyActivated, PolicyEvent, from_parts};
use chancery_domain::leaf::Stream;
use chancery_policy::{Bundle, BundleError, Engine, engine_version};
use chancery_store::{Fault, Store};

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
    /// Verdicts of another engine would be refused by every verifier.
    #[error(
        "the policy was activated for engine `{active}`, this program has `{own}`: run the version of chancery that \
         has that engine"
    )]
    OtherEngine {
        /// What the log says.
        active: String,
        /// What is compiled in.
        own: &'static str,
    },
}

/// The bundle that the log says is active, compiled.
pub async fn load_active(folder: &Path, store: &impl Store) -> Result<Engine, PolicyFault> {
    let events = store.stream(&Stream::Policy, 1).await?;
    let newest = events.last().ok_or(PolicyFault::NeverActivated)?;
    let event = from_parts::<PolicyEvent>(&newest.leaf.kind, &newest.leaf.body);
    let PolicyEvent::Activated(PolicyActivated { to: active, engine, .. }) =
        event.map_err(|error| Fault::Damaged(error.to_string()))?;
    let bundle = Bundle::read(folder)?;
    if bundle.digest() != active {
        return Err(PolicyFault::OtherBundle { found: bundle.digest(), active });
    }
    check_engine(engine)?;
    Ok(Engine::prepare(bundle)?)
}

fn check_engine(active: String) -> Result<(), PolicyFault> {
    let own = engine_version();
    if active == own { Ok(()) } else { Err(PolicyFault::OtherEngine { active, own }) }
}

#[cfg(test)]
mod tests {
    use super::{check_engine, engine_version};

    #[test]
    fn only_the_engine_that_was_activated_judges() {
        assert!(check_engine(engine_version().to_owned()).is_ok());
        let refused = check_engine("regorus 0.0.1 sha256:00".to_owned()).unwrap_err().to_string();
        assert!(refused.contains("regorus 0.0.1") && refused.contains(engine_version()), "{refused}");
    }
}
