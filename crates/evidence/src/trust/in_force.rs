//! Which version of the trust root counts for an event: the last one that was sealed before it in the log.

use chancery_domain::time::Timestamp;

use super::{MAX_SUCCESSOR_OFFER_SECONDS, TrustRoot};

/// From where on a version counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InForce {
    /// For every leaf after this one, which says that it was sealed.
    After(u64),
    /// From this time of the log on. Of a version whose leaf is not at hand: so to leave the leaf out, or to hold it
    /// back, makes the version count no later than it does.
    Since(Timestamp),
}

impl InForce {
    /// The log says at this leaf, of this time, that the version was sealed. The first such leaf counts, and only one
    /// within the time in which a version is offered for signing: whoever repeats or delays it gains nothing.
    pub fn sealed_at(&mut self, index: u64, at: Timestamp) {
        if matches!(self, Self::Since(created) if at <= created.plus(MAX_SUCCESSOR_OFFER_SECONDS)) {
            *self = Self::After(index);
        }
    }

    /// Whether it counts for an event of this time at this index.
    pub fn covers(&self, index: u64, at: Timestamp) -> bool {
        match self {
            Self::After(sealed) => index > *sealed,
            Self::Since(time) => at >= *time,
        }
    }
}

/// The versions of one life of the log, oldest first, each with where it comes into force. The oldest counts from the
/// beginning of that life.
#[derive(Clone, Debug)]
pub struct Versions<'a> {
    oldest: &'a TrustRoot,
    later: Vec<(&'a TrustRoot, InForce)>,
}

impl<'a> Versions<'a> {
    /// Of roots in ascending order, where none is known yet to be sealed at a leaf; `None` without a root.
    pub fn new(roots: impl IntoIterator<Item = &'a TrustRoot>) -> Option<Self> {
        let mut roots = roots.into_iter();
        let oldest = roots.next()?;
        let later = roots.map(|root| (root, InForce::Since(root.document().created_at))).collect();
        Some(Self { oldest, later })
    }

    /// The log says at this leaf, of this time, that the version was sealed. Nothing changes for a version that is not
    /// among these.
    pub fn sealed_at(&mut self, version: u64, leaf_index: u64, at: Timestamp) {
        for (_, from) in self.later.iter_mut().filter(|(root, _)| root.document().version == version) {
            from.sealed_at(leaf_index, at);
        }
    }

    /// What counts for an event of this time at this index.
    pub fn at(&self, index: u64, at: Timestamp) -> &'a TrustRoot {
        let newest = self.later.iter().rev().find(|(_, from)| from.covers(index, at));
        newest.map_or(self.oldest, |(root, _)| root)
    }

    /// The first of this life.
    pub fn oldest(&self) -> &'a TrustRoot {
        self.oldest
    }

    /// The last of this life.
    pub fn newest(&self) -> &'a TrustRoot {
        self.later.last().map_or(self.oldest, |(root, _)| root)
    }

    /// Those after the first, with where each comes into force.
    pub fn later(&self) -> impl Iterator<Item = (&'a TrustRoot, InForce)> + '_ {
        self.later.iter().copied()
    }
}
