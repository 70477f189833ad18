//! What each holds at this moment, so that nobody takes what is there for all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chancery_domain::id::PersonId;

/// What a person can hold several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// A request that is worked on.
    Request,
    /// An event stream.
    Stream,
    /// A submission that is being judged and recorded.
    Submission,
    /// An artifact that is received.
    Upload,
}

/// Shares of people.
pub type PersonShares = Shares<(PersonId, Held)>;

/// The shares of each holder, by number. Who has none takes no room.
#[derive(Debug)]
pub struct Shares<K: Ord>(Mutex<Given<K>>);

#[derive(Debug)]
struct Given<K: Ord> {
    next: u64,
    held: BTreeMap<K, Vec<u64>>,
}

impl<K: Ord> Default for Shares<K> {
    fn default() -> Self {
        Self(Mutex::new(Given { next: 0, held: BTreeMap::new() }))
    }
}

impl<K: Ord> Shares<K> {
    fn locked(&self) -> MutexGuard<'_, Given<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Clone> Shares<K> {
    /// One more for this holder; `None` when they have `most` already.
    pub fn take(self: &Arc<Self>, holder: K, most: usize) -> Option<Share<K>> {
        let mut given = self.locked();
        if given.held.get(&holder).map_or(0, Vec::len) >= most {
            return None;
        }
        let number = given.next;
        given.next = number.wrapping_add(1);
        given.held.entry(holder.clone()).or_default().push(number);
        Some(Share { shares: Arc::clone(self), holder, number })
    }

    /// How many holders there are.
    #[cfg(test)]
    pub fn holders(&self) -> usize {
        self.locked().held.len()
    }
}

/// One share, until it is dropped.
#[derive(Debug)]
pub struct Share<K: Ord> {
    shares: Arc<Shares<K>>,
    holder: K,
    number: u64,
}

impl<K: Ord> Share<K> {
    /// How many the holder still has that were taken before this one.
    pub fn before(&self) -> usize {
        let given = self.shares.locked();
        given.held.get(&self.holder).map_or(0, |held| held.iter().filter(|one| **one < self.number).count())
    }
}

impl<K: Ord> Drop for Share<K> {
    fn drop(&mut self) {
        let mut given = self.shares.locked();
        let Some(held) = given.held.get_mut(&self.holder) else { return };
        held.retain(|one| *one != self.number);
        if held.is_empty() {
            given.held.remove(&self.holder);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Shares;

    #[test]
    fn who_has_none_takes_no_room() {
        let shares = Arc::new(Shares::default());
        let first = shares.take("a", 2).unwrap();
        let second = shares.take("a", 2).unwrap();
        assert_eq!((first.before(), second.before()), (0, 1));
        assert!(shares.take("a", 2).is_none());
        assert!(shares.take("b", 2).is_some(), "another's");
        assert_eq!(shares.holders(), 1);
        drop(first);
        assert_eq!(second.before(), 0);
        assert!(shares.take("a", 2).is_some());
        drop(second);
        assert_eq!(shares.holders(), 0);
    }
}
