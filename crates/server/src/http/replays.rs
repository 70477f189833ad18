//! Proofs that were used, until their time is over. Everyone has their own room, so that nobody fills another's.

use std::collections::BTreeMap;

use chancery_canonical::Sha256;
use chancery_domain::id::PersonId;
use chancery_domain::time::Timestamp;

/// Most proofs remembered of one person; beyond it none of theirs is taken until some are over.
const MAX_OF_PERSON: usize = 10_000;
/// From this many in all on, those that are over go with every further one.
const MANY: usize = 100_000;

/// Digests of the `jti` of each person's proofs (RFC 9449 §11.1), with the moment from which each may be forgotten.
#[derive(Debug, Default)]
pub struct Replays(BTreeMap<PersonId, BTreeMap<[u8; 32], Timestamp>>);

impl Replays {
    /// Remembers a proof until `over`; false when it was used before, or this person used too many.
    ///
    /// A proof is signed by the key of one session, thus one that is replayed is the same person's.
    pub fn take(&mut self, person: &PersonId, jti: Sha256, over: Timestamp, now: Timestamp) -> bool {
        if self.0.values().map(BTreeMap::len).sum::<usize>() >= MANY {
            self.0.retain(|_, own| {
                own.retain(|_, over| *over > now);
                !own.is_empty()
            });
        }
        let own = self.0.entry(person.clone()).or_default();
        if own.len() >= MAX_OF_PERSON {
            own.retain(|_, over| *over > now);
        }
        if own.len() >= MAX_OF_PERSON || own.contains_key(jti.as_bytes()) {
            return false;
        }
        own.insert(*jti.as_bytes(), over);
        true
    }
}

#[cfg(test)]
mod tests;
