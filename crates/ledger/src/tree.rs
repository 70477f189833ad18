//! The Merkle tree of RFC 6962 section 2.1 (the same as RFC 9162 section 2.1) over SHA-256.
//!
//! A log of `n` leaves has one root. Proofs are lists of hashes: an *inclusion proof* shows that a leaf stands
//! at an index under a root, a *consistency proof* that one root's leaves are a prefix of another's.
//! Generation reads hashes of complete subtrees through a closure; verification needs nothing but the proof.

mod hash;
mod prove;
mod verify;

pub use hash::{EMPTY_ROOT, Hash, HashParseError, leaf_hash, node_hash};
pub use prove::{ProveError, prove_consistency, prove_inclusion, root_hash};
pub use verify::{ConsistencyError, InclusionError, verify_consistency, verify_inclusion};

use serde::{Deserialize, Serialize};

/// The greatest number of leaves a tree may have: 2^63.
pub const MAX_SIZE: u64 = 1 << 63;

/// A tree's size in leaves together with its Merkle tree hash.
///
/// INVARIANT: the size is at most [`MAX_SIZE`], and a size of 0 goes with [`EMPTY_ROOT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RootFields", into = "RootFields")]
pub struct Root {
    size: u64,
    hash: Hash,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RootFields {
    size: u64,
    root: Hash,
}

impl Root {
    /// The root of the tree without leaves.
    pub const EMPTY: Root = Root { size: 0, hash: EMPTY_ROOT };

    /// Joins a size in leaves and a root hash.
    ///
    /// # Errors
    /// [`RootError`] if the size is over [`MAX_SIZE`], or is 0 with another hash than [`EMPTY_ROOT`].
    pub fn new(size: u64, hash: Hash) -> Result<Root, RootError> {
        if size > MAX_SIZE {
            return Err(RootError::TooLarge { size });
        }
        if size == 0 && hash != EMPTY_ROOT {
            return Err(RootError::EmptyTree { found: hash });
        }
        Ok(Root { size, hash })
    }

    /// Joins what a [`crate::growth::Tree`] computed, which keeps the invariant by itself.
    pub(crate) fn computed(size: u64, hash: Hash) -> Root {
        Root { size, hash }
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Merkle tree hash over all leaves.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

impl TryFrom<RootFields> for Root {
    type Error = RootError;

    fn try_from(fields: RootFields) -> Result<Root, RootError> {
        Root::new(fields.size, fields.root)
    }
}

impl From<Root> for RootFields {
    fn from(root: Root) -> RootFields {
        RootFields { size: root.size, root: root.hash }
    }
}

/// Why a size and a hash do not make a [`Root`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// The size is over 2^63.
    #[error("a tree of `{size}` leaves is over the limit of 2^63; the size is wrong")]
    TooLarge {
        /// The size that was claimed.
        size: u64,
    },
    /// Size 0 with a hash that is not that of the empty tree.
    #[error("`{found}` is not the root of an empty tree, `{}` is", EMPTY_ROOT)]
    EmptyTree {
        /// The hash that was claimed.
        found: Hash,
    },
}
