//! A policy bundle that one verification prepared and the next one can use.

use std::sync::{Arc, Mutex, PoisonError};

use chancery_canonical::Sha256;
use chancery_policy::Engine;

/// The bundle that was last prepared, for whoever verifies much evidence under one policy.
///
/// INVARIANT: it is handed out for its own digest alone, so whoever gets it has the same files before them.
#[derive(Default)]
pub struct KeptPolicy(Mutex<Option<Arc<Engine>>>);

impl KeptPolicy {
    pub(super) fn of(&self, sha256: &Sha256) -> Option<Arc<Engine>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|engine| engine.bundle().digest() == *sha256).cloned()
    }

    pub(super) fn keep(&self, engine: &Arc<Engine>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(engine));
    }
}
