//! Restoring a tree from what was stored.

use super::{Tree, last_tile};
use crate::tile::{BundleError, TileError, TileKind, TilePath, decode_bundle, encode_entry, tile_hashes};
use crate::tree::{Hash, Root, leaf_hash};

impl Tree {
    /// Restores the right edge of the tree with this root from stored tiles.
    ///
    /// `tiles` answers with the bytes of a tile, or `None` if it is not stored. It is asked for at most eight
    /// partial hash tiles and one partial bundle, and may answer with a wider version of the same tile, so
    /// tiles staged by an append that never committed do no harm.
    ///
    /// The edge is checked against the root, and the bundle's entries against the edge. Tiles that are full
    /// already are not read; comparing them with the root is the work of a full audit.
    ///
    /// # Errors
    /// [`LoadError`] names the tile that is missing, damaged, or of another tree.
    pub fn load(root: &Root, tiles: impl Fn(&TilePath) -> Option<Vec<u8>>) -> Result<Tree, LoadError> {
        let read = |path: &TilePath| tiles(path).ok_or(LoadError::Missing(*path));
        let mut tree = Tree { size: root.size(), ..Tree::empty() };
        for (level, edge) in (0_u8..).zip(&mut tree.edge) {
            if let Some(path) = partial_tile(TileKind::Hashes { level }, root.size()) {
                *edge =
                    tile_hashes(&path, &read(&path)?).map_err(|error| LoadError::Damaged { path, error })?;
            }
        }
        let found = tree.root_hash();
        if found != root.hash() {
            return Err(LoadError::Root { size: root.size(), expected: root.hash(), found });
        }
        if let Some(path) = partial_tile(TileKind::Entries, root.size()) {
            let leaves = tree.edge.first().map(Vec::as_slice).unwrap_or_default();
            tree.bundle = matching_entries(&path, &read(&path)?, leaves)?;
        }
        Ok(tree)
    }
}

/// The partial tile at the right edge, `None` where the last tile is full.
fn partial_tile(kind: TileKind, size: u64) -> Option<TilePath> {
    last_tile(kind, size).filter(|path| !path.is_full())
}

/// The part of a bundle that belongs to the leaves at the edge, encoded anew.
fn matching_entries(path: &TilePath, bytes: &[u8], leaves: &[Hash]) -> Result<Vec<u8>, LoadError> {
    let damaged = |error| LoadError::DamagedBundle { path: *path, error };
    let entries = decode_bundle(bytes).map_err(damaged)?;
    let first = path.index() << super::TILE_HEIGHT;
    let mut bundle = Vec::new();
    let mut entries = entries.into_iter();
    for (index, leaf) in (first..).zip(leaves) {
        let entry = entries.next().filter(|entry| leaf_hash(entry) == *leaf);
        let entry = entry.ok_or(LoadError::Entry { path: *path, index })?;
        encode_entry(&mut bundle, entry).map_err(damaged)?;
    }
    Ok(bundle)
}

/// Why a tree cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A tile at the edge is not stored.
    #[error("`{0}` is not stored; restore the log's tiles")]
    Missing(TilePath),
    /// A hash tile cannot be read.
    #[error("`{path}` is damaged: {error}; restore the log's tiles")]
    Damaged {
        /// The tile.
        path: TilePath,
        /// What is wrong with it.
        error: TileError,
    },
    /// The bundle cannot be read.
    #[error("`{path}` is damaged: {error}; restore the log's tiles")]
    DamagedBundle {
        /// The bundle.
        path: TilePath,
        /// What is wrong with it.
        error: BundleError,
    },
    /// An entry is missing, or is not the one that was logged.
    #[error("`{path}` does not hold the entry `{index}` that the tree committed to; restore the log's tiles")]
    Entry {
        /// The bundle.
        path: TilePath,
        /// Index of the entry in the log.
        index: u64,
    },
    /// The tiles are those of another tree.
    #[error(
        "the tiles at size `{size}` have the root `{found}`, expected `{expected}`; restore the log's tiles"
    )]
    Root {
        /// Number of leaves.
        size: u64,
        /// The root that was to be restored.
        expected: Hash,
        /// The root that the tiles have.
        found: Hash,
    },
}
