//! Requests that were loaded a moment ago. What was read of a log never changes, so only what came since is read again and
//! verified; a redaction, which takes private values away, makes a request be read anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_domain::id::RequestId;

use super::load_request::LoadedRequest;

/// Most requests of one generation; of the usual size they are a few megabytes.
const GENERATION: usize = 256;
/// One with a longer history is not kept, in events.
const LONGEST: usize = 64;

/// The requests, in two generations, as [`super::documents::Documents`] has them.
#[derive(Debug, Default)]
pub struct KnownRequests(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<RequestId, Arc<LoadedRequest>>,
    old: HashMap<RequestId, Arc<LoadedRequest>>,
}

impl KnownRequests {
    /// Keeps a request for a while, unless a newer version of it is kept already.
    pub fn keep(&self, loaded: &Arc<LoadedRequest>) {
        if loaded.events.len() > LONGEST {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.find(&loaded.id).is_none_or(|known| known.version < loaded.version) {
            known.keep(loaded);
        }
    }

    /// The request as it was when it was last kept.
    pub fn find(&self, id: &RequestId) -> Option<Arc<LoadedRequest>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = Arc::clone(known.find(id)?);
        if !known.young.contains_key(id) {
            known.keep(&found);
        }
        Some(found)
    }

    /// Drops a request: something beside its events is gone.
    pub fn forget(&self, id: &RequestId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.young.remove(id);
        known.old.remove(id);
    }
}

impl Generations {
    fn find(&self, id: &RequestId) -> Option<&Arc<LoadedRequest>> {
        self.young.get(id).or_else(|| self.old.get(id))
    }

    fn keep(&mut self, loaded: &Arc<LoadedRequest>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(loaded.id.clone(), Arc::clone(loaded));
    }
}
