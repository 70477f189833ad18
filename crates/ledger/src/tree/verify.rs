//! Checking proofs by the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2.

use super::{Hash, Root, node_hash};

/// Checks that `leaf` (a leaf hash) stands at `index` in the tree of `root`.
///
/// `path` is the inclusion proof, lowest sibling first. RFC 9162 section 2.1.3.2.
///
/// # Errors
/// [`InclusionError`] names what is wrong: the index, the proof's length, or the root it leads to.
pub fn verify_inclusion(root: &Root, index: u64, leaf: &Hash, path: &[Hash]) -> Result<(), InclusionError> {
    let size = root.size();
    if index >= size {
        return Err(InclusionError::IndexOutOfRange { index, size });
    }
    let expected = inclusion_length(index, size);
    if path.len() != expected {
        return Err(InclusionError::Length { expected, found: path.len() });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut computed = *leaf;
    for sibling in path {
        if node & 1 == 1 || node == last {
            computed = node_hash(sibling, &computed);
            // A node that is last in its row and a left child has no sibling until a higher row.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            computed = node_hash(&computed, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if computed == root.hash() {
        Ok(())
    } else {
        Err(InclusionError::Root { expected: root.hash(), computed })
    }
}

/// Checks that the leaves of `old` are the first leaves of `new`. RFC 9162 section 2.1.4.2.
///
/// Between equal sizes, and from the empty tree, the proof has to be empty.
///
/// # Errors
/// [`ConsistencyError`] names what is wrong: the sizes, the proof's length, or which of the roots it misses.
pub fn verify_consistency(old: &Root, new: &Root, path: &[Hash]) -> Result<(), ConsistencyError> {
    if old.size() > new.size() {
        return Err(ConsistencyError::Shrinks { old_size: old.size(), new_size: new.size() });
    }
    let expected = consistency_length(old.size(), new.size());
    if path.len() != expected {
        return Err(ConsistencyError::Length { expected, found: path.len() });
    }
    if old.size() == new.size() && old.hash() != new.hash() {
        return Err(ConsistencyError::Fork { size: old.size(), old: old.hash(), new: new.hash() });
    }
    if expected == 0 {
        return Ok(());
    }
    let (old_hash, new_hash) = walk(old, new, path);
    if old_hash != old.hash() {
        return Err(ConsistencyError::OldRoot { expected: old.hash(), computed: old_hash });
    }
    if new_hash != new.hash() {
        return Err(ConsistencyError::NewRoot { expected: new.hash(), computed: new_hash });
    }
    Ok(())
}

/// The two roots that a consistency proof of the right length leads to; sizes 0 < old < new.
fn walk(old: &Root, new: &Root, path: &[Hash]) -> (Hash, Hash) {
    let (mut node, mut last) = (old.size() - 1, new.size() - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (seed, rest) = match path.split_first() {
        Some((first, rest)) if !old.size().is_power_of_two() => (*first, rest),
        _ => (old.hash(), path),
    };
    let (mut old_hash, mut new_hash) = (seed, seed);
    for sibling in rest {
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (old_hash, new_hash)
}

/// How many hashes prove the leaf at `index` of `size`, `index < size`.
///
/// Below the row where the ways of this leaf and the last leaf meet, every row has a sibling; above, only
/// those rows in which the way is a right child.
fn inclusion_length(index: u64, size: u64) -> usize {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    (inner + border) as usize
}

/// How many hashes prove `old_size` a prefix of `new_size`, `old_size <= new_size`.
fn consistency_length(old_size: u64, new_size: u64) -> usize {
    if old_size == 0 || old_size == new_size {
        return 0;
    }
    // The way starts at the root of the largest complete subtree that ends the old tree, which has to be
    // given unless it is the whole old tree.
    let skipped = old_size.trailing_zeros() as usize;
    let seed = usize::from(!old_size.is_power_of_two());
    seed + inclusion_length(old_size - 1, new_size) - skipped
}

/// Why an inclusion proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The tree has no such leaf.
    #[error("leaf `{index}` cannot be in a tree of `{size}` leaves")]
    IndexOutOfRange {
        /// The index claimed.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// Too few or too many hashes.
    #[error("the inclusion proof has `{found}` hashes where this index and size need `{expected}`")]
    Length {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The proof leads to another root.
    #[error("the inclusion proof leads to the root `{computed}`, the checkpoint says `{expected}`")]
    Root {
        /// The root of the tree.
        expected: Hash,
        /// The root that leaf and proof lead to.
        computed: Hash,
    },
}

/// Why a consistency proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// The tree became smaller.
    #[error("the log shrank from `{old_size}` to `{new_size}` leaves")]
    Shrinks {
        /// Size of the old tree.
        old_size: u64,
        /// Size of the new tree.
        new_size: u64,
    },
    /// Two roots for one size.
    #[error("the log has two roots at size `{size}`: `{old}` and `{new}`")]
    Fork {
        /// The size both have.
        size: u64,
        /// The root seen first.
        old: Hash,
        /// The root seen later.
        new: Hash,
    },
    /// Too few or too many hashes.
    #[error("the consistency proof has `{found}` hashes where these sizes need `{expected}`")]
    Length {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The proof does not contain the old tree.
    #[error("the consistency proof leads to the old root `{computed}`, known is `{expected}`")]
    OldRoot {
        /// The old root known.
        expected: Hash,
        /// The old root the proof leads to.
        computed: Hash,
    },
    /// The proof does not lead to the new tree.
    #[error("the consistency proof leads to the new root `{computed}`, the checkpoint says `{expected}`")]
    NewRoot {
        /// The new root claimed.
        expected: Hash,
        /// The new root the proof leads to.
        computed: Hash,
    },
}
