//! The right edge of hashes alone: for a sequencer whose entries are stored elsewhere, so that bundles can be cut from them.

use super::{Growth, GrowthError, Tree, Written};
use crate::tile::TileKind;
use crate::tree::{EMPTY_ROOT, Hash, Root, node_hash};

/// A growing tree without entry bundles. An append costs the hashes that are new, whatever stands in the partial tiles.
///
/// INVARIANT: `peaks` holds the root of each complete subtree that the size has, as RFC 6962 section 2.1 splits it, the
/// largest first; `tree` has the same leaves and no bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    tree: Tree,
    peaks: Vec<Hash>,
}

impl From<Tree> for Edge {
    fn from(tree: Tree) -> Edge {
        let mut peaks = tree.complete_subtrees();
        peaks.reverse();
        Edge { tree: Tree { bundle: Vec::new(), ..tree }, peaks }
    }
}

impl Edge {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Size and hash of the whole tree.
    pub fn root(&self) -> Root {
        let joined = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        Root::computed(self.size(), joined.unwrap_or(EMPTY_ROOT))
    }

    /// The tree with leaves of these hashes after its own, and what that adds to the log but for entry bundles.
    ///
    /// # Errors
    /// [`GrowthError::Full`].
    pub fn append(&self, leaf_hashes: &[Hash]) -> Result<(Edge, Growth), GrowthError> {
        let mut edge = self.clone();
        let mut written = Written::default();
        for hash in leaf_hashes {
            edge.join(*hash);
            edge.tree.push(*hash, &mut written)?;
        }
        edge.tree.write_partial_tiles(self.size(), &mut written)?;
        written.tiles.retain(|(path, _)| matches!(path.kind(), TileKind::Hashes { .. }));
        written.tiles.sort_by_key(|(path, _)| *path);
        let root = edge.root();
        Ok((edge, Growth { root, tiles: written.tiles, leaf_hashes: leaf_hashes.to_vec() }))
    }

    /// Joins one more leaf with the complete subtrees that it completes.
    fn join(&mut self, leaf: Hash) {
        let mut joined = leaf;
        for _ in 0..self.size().trailing_ones() {
            // As many peaks as the size has ones, so there is one for each of those at its end.
            let Some(left) = self.peaks.pop() else { break };
            joined = node_hash(&left, &joined);
        }
        self.peaks.push(joined);
    }
}
