//! Proofs that were used, until their time is over. Everyone has their own room, so that nobody fills another's.

use std::collections::BTreeMap;

use chancery_canonical::Sha256;
use chancery_domain::id::PersonId;
use chancery_domain::time::Timestamp;

/// How often what is over is forgotten, in seconds.
const SWEEP_SECONDS: u64 = 60;

/// Digests of the `jti` of each person's proofs (RFC 9449 §11.1), with the moment from which each may be forgotten.
#[derive(Debug)]
pub struct Replays {
    used: BTreeMap<PersonId, BTreeMap<[u8; 32], Timestamp>>,
    /// Most proofs remembered of one person; beyond it none of theirs is taken until some are over.
    room: usize,
    swept: Option<Timestamp>,
}

impl Replays {
    /// Room for whoever asks as often as they may. A proof is remembered for less than four minutes, so nobody who
    /// keeps to the rate ever meets the end of it.
    pub fn for_rate(requests_per_minute: u32) -> Self {
        let room = usize::try_from(requests_per_minute).unwrap_or(usize::MAX).saturating_mul(5);
        Self { used: BTreeMap::new(), room, swept: None }
    }

    /// Remembers a proof until `over`; false when it was used before, or this person used too many.
    ///
    /// A proof is signed by the key of one session, thus one that is replayed is the same person's.
    pub fn take(&mut self, person: &PersonId, jti: Sha256, over: Timestamp, now: Timestamp) -> bool {
        self.sweep(now);
        let own = self.used.entry(person.clone()).or_default();
        if own.len() >= self.room {
            own.retain(|_, over| *over > now);
        }
        if own.len() >= self.room || own.contains_key(jti.as_bytes()) {
            return false;
        }
        own.insert(*jti.as_bytes(), over);
        true
    }

    fn sweep(&mut self, now: Timestamp) {
        let swept = *self.swept.get_or_insert(now);
        if now.seconds_since(swept) >= SWEEP_SECONDS {
            self.swept = Some(now);
            self.used.retain(|_, own| {
                own.retain(|_, over| *over > now);
                !own.is_empty()
            });
        }
    }
}

#[cfg(test)]
mod tests;
