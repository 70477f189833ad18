//! Roots and proofs from stored tiles alone.
//!
//! The closure `tiles` answers with the bytes of a tile, or `None` if it is not stored. It is asked for the
//! width that the tree of the size in question has, and may answer with a wider version of the same tile.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{TILE_HEIGHT, TileKind, TilePath, tile_at};
use crate::tree::{Hash, ProveError, node_hash, prove_consistency, prove_inclusion, root_hash};

/// The root hash of the first `size` leaves.
///
/// # Errors
/// [`TileReadError`] if a tile is missing or damaged, or the size is over the limit.
pub fn root_from_tiles(
    size: u64,
    tiles: impl Fn(&TilePath) -> Option<Vec<u8>>,
) -> Result<Hash, TileReadError> {
    let reader = TileReader::new(size, tiles);
    root_hash(size, &|level, index| reader.hash(level, index))
}

/// The inclusion proof of leaf `index` in the tree of `size` leaves.
///
/// The tiles are not checked against a root: verify the proof before it leaves the house.
///
/// # Errors
/// [`TileReadError`] if a tile is missing or damaged, or the index or size is out of range.
pub fn prove_inclusion_from_tiles(
    size: u64,
    index: u64,
    tiles: impl Fn(&TilePath) -> Option<Vec<u8>>,
) -> Result<Vec<Hash>, TileReadError> {
    let reader = TileReader::new(size, tiles);
    prove_inclusion(size, index, &|level, index| reader.hash(level, index))
}

/// What answers with the bytes of a tile.
type Tiles = fn(&TilePath) -> Option<Vec<u8>>;

/// Inclusion proofs under one tree, for whoever makes many: each tile is given, and each subtree hashed, once.
///
/// The tiles are not checked against a root: verify the proofs before they leave the house.
pub struct InclusionProver(TileReader<Tiles>);

impl InclusionProver {
    /// Of the tree of `size` leaves.
    pub fn new(size: u64) -> Self {
        Self(TileReader::new(size, |_| None))
    }

    /// The proof of the leaf at `index`.
    ///
    /// # Errors
    /// [`TileReadError::Missing`] with the tile to give before it is asked again; the others as
    /// [`prove_inclusion_from_tiles`].
    pub fn prove(&self, index: u64) -> Result<Vec<Hash>, TileReadError> {
        prove_inclusion(self.0.size, index, &|level, index| self.0.hash(level, index))
    }

    /// Gives a tile that was missing.
    ///
    /// # Errors
    /// [`TileReadError::Damaged`].
    pub fn give(&mut self, path: TilePath, tile: &[u8]) -> Result<(), TileReadError> {
        self.0.take(path, tile)
    }
}

/// The proof that the tree of `new_size` leaves extends that of `old_size`.
///
/// The tiles are not checked against a root: verify the proof before it leaves the house.
///
/// # Errors
/// [`TileReadError`] if a tile is missing or damaged, or a size is out of range.
pub fn prove_consistency_from_tiles(
    old_size: u64,
    new_size: u64,
    tiles: impl Fn(&TilePath) -> Option<Vec<u8>>,
) -> Result<Vec<Hash>, TileReadError> {
    let reader = TileReader::new(new_size, tiles);
    prove_consistency(old_size, new_size, &|level, index| reader.hash(level, index))
}

/// Reads each tile once and answers for the subtrees inside it.
struct TileReader<F> {
    size: u64,
    tiles: F,
    seen: RefCell<BTreeMap<TilePath, Vec<Hash>>>,
    /// Of subtrees that lie inside a tile, by level and index.
    hashed: RefCell<BTreeMap<(u8, u64), Hash>>,
}

impl<F: Fn(&TilePath) -> Option<Vec<u8>>> TileReader<F> {
    fn new(size: u64, tiles: F) -> TileReader<F> {
        TileReader { size, tiles, seen: RefCell::default(), hashed: RefCell::default() }
    }

    fn take(&self, path: TilePath, bytes: &[u8]) -> Result<(), TileReadError> {
        let hashes = tile_hashes(&path, bytes).map_err(|error| TileReadError::Damaged { path, error })?;
        self.seen.borrow_mut().insert(path, hashes);
        Ok(())
    }

    /// The hash of the complete subtree at (level, index), made from `1 << (level % 8)` hashes of one tile.
    fn hash(&self, level: u8, index: u64) -> Result<Hash, TileReadError> {
        if let Some(hash) = self.hashed.borrow().get(&(level, index)) {
            return Ok(*hash);
        }
        let missing = ProveError::MissingHash { level, index };
        let (tile_level, inner) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let per_tile = 1_u64 << (TILE_HEIGHT - inner);
        let kind = TileKind::Hashes { level: tile_level };
        let Some(path) = tile_at(kind, index / per_tile, self.size) else { return Err(missing.into()) };
        if !self.seen.borrow().contains_key(&path) {
            let bytes = (self.tiles)(&path).ok_or(TileReadError::Missing(path))?;
            self.take(path, &bytes)?;
        }
        let seen = self.seen.borrow();
        let subtree = seen.get(&path).and_then(|hashes| {
            // At most 256 subtrees lie in a tile, so the position fits.
            let position = usize::try_from(index % per_tile).ok()?;
            hashes.get(position << inner..(position + 1) << inner)
        });
        let hash = subtree.and_then(complete_subtree_hash).ok_or(missing)?;
        if inner > 0 {
            self.hashed.borrow_mut().insert((level, index), hash);
        }
        Ok(hash)
    }
}

/// The hashes of a hash tile at the width its path names; a wider version of the tile is cut.
pub(crate) fn tile_hashes(path: &TilePath, bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::LENGTH }>();
    let wanted = usize::from(path.width());
    if !rest.is_empty() || hashes.len() < wanted || hashes.len() > usize::from(super::TILE_WIDTH) {
        return Err(TileError::Length { expected: wanted * Hash::LENGTH, found: bytes.len() });
    }
    Ok(hashes.iter().take(wanted).map(|bytes| Hash::from_bytes(*bytes)).collect())
}

/// The root over a power of two of neighbouring hashes; `None` if there are none.
pub(crate) fn complete_subtree_hash(hashes: &[Hash]) -> Option<Hash> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied()
}

/// What is wrong with the bytes of a hash tile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Too short, too long, or not whole hashes.
    #[error("`{found}` bytes where `{expected}` belong")]
    Length {
        /// Bytes that the tile's width asks for.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
}

/// Why tiles give no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileReadError {
    /// What was asked for does not exist.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// A needed tile is not stored.
    #[error("`{0}` is not stored; restore the log's tiles")]
    Missing(TilePath),
    /// A needed tile is stored and unusable.
    #[error("`{path}` is damaged: {error}; restore the log's tiles")]
    Damaged {
        /// The tile.
        path: TilePath,
        /// What is wrong with it.
        error: TileError,
    },
}
