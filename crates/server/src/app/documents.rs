//! Documents that were read or written a moment ago, by their digest. They are public facts of the log (what is personal in
//! them is concealed) and never change, so there is nothing to forget but for room.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chancery_canonical::{Canonical, Sha256};

/// Most documents of one generation; with requests of a few kilobytes that is a few megabytes.
const GENERATION: usize = 512;
/// A longer one is not kept, in bytes.
const LONGEST: usize = 16 * 1024;

/// The documents, in two generations: what was not asked for while the younger one filled up goes with the older.
///
/// INVARIANT: each stands under its own digest, and is canonical by its type. They die with the process.
#[derive(Debug, Default)]
pub struct Documents(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Sha256, Canonical>,
    old: HashMap<Sha256, Canonical>,
}

impl Documents {
    /// Keeps a document for a while.
    pub fn keep(&self, document: &Canonical) {
        if document.as_bytes().len() <= LONGEST {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.keep(document.digest(), document.clone());
        }
    }

    /// The document of this digest, if it is known.
    pub fn find(&self, sha256: &Sha256) -> Option<Canonical> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = known.young.get(sha256) {
            return Some(document.clone());
        }
        let document = known.old.remove(sha256)?;
        known.keep(*sha256, document.clone());
        Some(document)
    }
}

impl Generations {
    fn keep(&mut self, sha256: Sha256, document: Canonical) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(sha256, document);
    }
}

#[cfg(test)]
mod tests;
