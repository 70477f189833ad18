//! Roots and proofs, from the hashes of complete subtrees.
//!
//! Every function here takes `hashes`, a closure over (level, index): the hash of the complete subtree over
//! the leaves from `index << level` up to, not including, `(index + 1) << level`. Level 0 holds leaf hashes.
//! Its error type is the caller's own; [`ProveError`] serves a caller that has no other.

use std::mem;

use super::{EMPTY_ROOT, Hash, MAX_SIZE, node_hash};

/// The Merkle tree hash of the first `size` leaves (RFC 6962 section 2.1).
///
/// # Errors
/// [`ProveError`] if the size is over the limit, or what `hashes` answers.
pub fn root_hash<E: From<ProveError>>(
    size: u64,
    hashes: &impl Fn(u8, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    check_size(size)?;
    if size == 0 { Ok(EMPTY_ROOT) } else { range_hash(0, size, hashes) }
}

/// The inclusion proof of the leaf at `index` in the tree of `size` leaves, lowest sibling first
/// (`PATH` of RFC 6962 section 2.1.1).
///
/// # Errors
/// [`ProveError`] if the index is not below the size, the size is over the limit, or what `hashes` answers.
pub fn prove_inclusion<E: From<ProveError>>(
    size: u64,
    index: u64,
    hashes: &impl Fn(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    check_size(size)?;
    if index >= size {
        return Err(ProveError::IndexOutOfRange { index, size }.into());
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_hash(middle, end, hashes)?);
            end = middle;
        } else {
            path.push(range_hash(start, middle, hashes)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the first `old_size` leaves of the tree of `new_size` leaves are the tree of `old_size`
/// (`PROOF` of RFC 6962 section 2.1.2). Empty if the sizes are equal or the old tree is.
///
/// # Errors
/// [`ProveError`] if the old size is over the new one, the new one is over the limit, or what `hashes` answers.
pub fn prove_consistency<E: From<ProveError>>(
    old_size: u64,
    new_size: u64,
    hashes: &impl Fn(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    check_size(new_size)?;
    if old_size > new_size {
        return Err(ProveError::Shrinks { old_size, new_size }.into());
    }
    if old_size == 0 || old_size == new_size {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, new_size);
    let mut path = Vec::new();
    while old_size != end {
        let middle = start + split(end - start);
        if old_size <= middle {
            path.push(range_hash(middle, end, hashes)?);
            end = middle;
        } else {
            path.push(range_hash(start, middle, hashes)?);
            start = middle;
        }
    }
    // The verifier knows the old root. It knows this subtree only when the subtree is the whole old tree.
    if start != 0 {
        path.push(range_hash(start, end, hashes)?);
    }
    path.reverse();
    Ok(path)
}

/// The hash over the leaves `start..end`, not empty, where `start` is a multiple of a power of two that is not
/// below `end - start`.
fn range_hash<E>(start: u64, end: u64, hashes: &impl Fn(u8, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    // Complete subtrees from left to right, each smaller than the one before; joined from the right.
    let (level, length) = largest_power(end - start);
    let mut last = hashes(level, start >> level)?;
    let mut before = Vec::new();
    let mut next = start + length;
    while next < end {
        let (level, length) = largest_power(end - next);
        before.push(mem::replace(&mut last, hashes(level, next >> level)?));
        next += length;
    }
    Ok(before.iter().rev().fold(last, |right, left| node_hash(left, &right)))
}

/// The largest power of two not above `count` (which is not 0), as (exponent, value).
fn largest_power(count: u64) -> (u8, u64) {
    let mut level = 0;
    while count >> level > 1 {
        level += 1;
    }
    (level, 1 << level)
}

/// The size of the left subtree of a tree of `count` leaves, `count` at least 2: the largest power of two below it.
fn split(count: u64) -> u64 {
    largest_power(count - 1).1
}

fn check_size(size: u64) -> Result<(), ProveError> {
    if size > MAX_SIZE { Err(ProveError::TooLarge { size }) } else { Ok(()) }
}

/// Why no proof could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// The size is over 2^63.
    #[error("a tree of `{size}` leaves is over the limit of 2^63")]
    TooLarge {
        /// The size asked for.
        size: u64,
    },
    /// There is no such leaf.
    #[error("there is no leaf `{index}` in a tree of `{size}` leaves; ask for a newer checkpoint")]
    IndexOutOfRange {
        /// The index asked for.
        index: u64,
        /// The size of the tree it was asked in.
        size: u64,
    },
    /// The "new" tree is smaller than the old one.
    #[error("a tree of `{new_size}` leaves cannot extend one of `{old_size}`; swap the sizes")]
    Shrinks {
        /// Size of the old tree.
        old_size: u64,
        /// Size of the new tree.
        new_size: u64,
    },
    /// A needed hash is not stored.
    #[error("the hash at level `{level}`, index `{index}` is not there; restore the log's tiles")]
    MissingHash {
        /// Level above the leaves.
        level: u8,
        /// Index within the level.
        index: u64,
    },
}
