//! The right edge of a growing tree: what a sequencer keeps in memory, and what an append has to write.
//!
//! An append changes nothing: it returns the grown tree beside the tiles to be stored. So when storing them
//! fails, the old [`Tree`] is still the truth, and appending the same leaves again gives the same bytes.

mod edge;
mod load;

pub use edge::Edge;
pub use load::LoadError;

use crate::tile::{
    BundleError, TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath, complete_subtree_hash, encode_entry, tile_at,
};
use crate::tree::{EMPTY_ROOT, Hash, MAX_SIZE, Root, leaf_hash, node_hash};

/// Levels of tiles that a tree within [`MAX_SIZE`] has.
const LEVELS: usize = 8;

/// The partial tiles at the right edge of a tree, one for each level, and the partial entry bundle.
///
/// INVARIANT: `edge[level]` holds the last `(size >> 8·level) mod 256` hashes of its level, and `bundle` the
/// last `size mod 256` entries, so the root follows from the edge alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    edge: [Vec<Hash>; LEVELS],
    bundle: Vec<u8>,
}

/// What one append adds to a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Root after the append.
    pub root: Root,
    /// Every tile and bundle that is new or wider, with its bytes; all have to be stored before a checkpoint
    /// of this root is signed. In the order of [`crate::tile::tiles_between`].
    pub tiles: Vec<(TilePath, Vec<u8>)>,
    /// Hash of each leaf, in order; the first has the index that was the size before.
    pub leaf_hashes: Vec<Hash>,
}

impl Growth {
    /// Number of leaves after the append.
    pub fn new_size(&self) -> u64 {
        self.root.size()
    }
}

impl Tree {
    /// A tree without leaves.
    pub fn empty() -> Tree {
        Tree { size: 0, edge: std::array::from_fn(|_| Vec::new()), bundle: Vec::new() }
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Size and hash of the whole tree.
    pub fn root(&self) -> Root {
        Root::computed(self.size, self.root_hash())
    }

    /// The tree with `leaves` after its own, and what that adds to the log.
    ///
    /// # Errors
    /// [`GrowthError`] if a leaf is over [`crate::tile::MAX_ENTRY_BYTES`] or the log is full.
    pub fn append<L: AsRef<[u8]>>(&self, leaves: &[L]) -> Result<(Tree, Growth), GrowthError> {
        let mut tree = self.clone();
        let mut written = Written::default();
        for leaf in leaves {
            let hash = leaf_hash(leaf.as_ref());
            encode_entry(&mut tree.bundle, leaf.as_ref())?;
            tree.push(hash, &mut written)?;
            written.leaf_hashes.push(hash);
        }
        tree.write_partial_tiles(self.size, &mut written)?;
        written.tiles.sort_by_key(|(path, _)| *path);
        let root = tree.root();
        Ok((tree, Growth { root, tiles: written.tiles, leaf_hashes: written.leaf_hashes }))
    }

    /// Adds one leaf hash, and passes every tile that becomes full on to the level above.
    fn push(&mut self, hash: Hash, written: &mut Written) -> Result<(), GrowthError> {
        if self.size >= MAX_SIZE {
            return Err(GrowthError::Full);
        }
        self.size += 1;
        if self.size.is_multiple_of(u64::from(TILE_WIDTH)) {
            written.add(TileKind::Entries, self.size, std::mem::take(&mut self.bundle))?;
        }
        let mut carried = hash;
        for (level, edge) in (0_u8..).zip(&mut self.edge) {
            edge.push(carried);
            if edge.len() < usize::from(TILE_WIDTH) {
                break;
            }
            let full = std::mem::take(edge);
            written.add(TileKind::Hashes { level }, self.size, concatenate(&full))?;
            carried = complete_subtree_hash(&full).ok_or(GrowthError::Full)?;
        }
        Ok(())
    }

    /// Writes the partial tiles of every level that has grown since the tree had `old_size` leaves.
    fn write_partial_tiles(&self, old_size: u64, written: &mut Written) -> Result<(), GrowthError> {
        if self.size > old_size && !self.bundle.is_empty() {
            written.add(TileKind::Entries, self.size, self.bundle.clone())?;
        }
        for (level, edge) in (0_u8..).zip(&self.edge) {
            let shift = level * TILE_HEIGHT;
            if self.size >> shift > old_size >> shift && !edge.is_empty() {
                written.add(TileKind::Hashes { level }, self.size, concatenate(edge))?;
            }
        }
        Ok(())
    }

    /// Joins the complete subtrees at the edge, the smallest and rightmost first.
    fn root_hash(&self) -> Hash {
        let joined = self.complete_subtrees().into_iter().reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or(EMPTY_ROOT)
    }

    /// Hashes of the complete subtrees at the edge, the smallest and rightmost first.
    fn complete_subtrees(&self) -> Vec<Hash> {
        let mut subtrees = Vec::new();
        for edge in &self.edge {
            let mut rest = edge.as_slice();
            while !rest.is_empty() {
                let width = 1 << rest.len().trailing_zeros();
                let (left, subtree) = rest.split_at(rest.len() - width);
                subtrees.extend(complete_subtree_hash(subtree));
                rest = left;
            }
        }
        subtrees
    }
}

/// What an append has produced so far.
#[derive(Default)]
struct Written {
    tiles: Vec<(TilePath, Vec<u8>)>,
    leaf_hashes: Vec<Hash>,
}

impl Written {
    /// Adds the rightmost tile of its kind in a tree of `size` leaves.
    fn add(&mut self, kind: TileKind, size: u64, bytes: Vec<u8>) -> Result<(), GrowthError> {
        let path = last_tile(kind, size).ok_or(GrowthError::Full)?;
        self.tiles.push((path, bytes));
        Ok(())
    }
}

/// The rightmost tile of a kind in a tree of `size` leaves, `None` if it has none.
fn last_tile(kind: TileKind, size: u64) -> Option<TilePath> {
    let level = match kind {
        TileKind::Entries => 0,
        TileKind::Hashes { level } => level,
    };
    let count = size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))?;
    tile_at(kind, count.checked_sub(1)? >> TILE_HEIGHT, size)
}

fn concatenate(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Why leaves cannot be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrowthError {
    /// A leaf is too long.
    #[error(transparent)]
    Entry(#[from] BundleError),
    /// The tree has 2^63 leaves.
    #[error("the log is full at 2^63 entries; start a new log")]
    Full,
}
