//! The static layout of a log: c2sp.org/tlog-tiles, with tiles of 256 hashes (height 8).
//!
//! A *hash tile* at level `L` holds up to 256 hashes of complete subtrees of `256^L` leaves; an *entry bundle*
//! holds the leaves under one level-0 tile. The rightmost of each are partial. A wider version of a tile begins
//! with the narrower one, so a store may answer a question for a partial tile with what it became later.

mod bundle;
mod path;
mod read;

pub use bundle::{BundleError, MAX_ENTRY_BYTES, decode_bundle, encode_entry};
pub use path::{TileKind, TilePath, TilePathError, tile_at, tiles_between};
pub use read::{
    InclusionProver, TileError, TileReadError, prove_consistency_from_tiles, prove_inclusion_from_tiles,
    root_from_tiles,
};

pub(crate) use read::{complete_subtree_hash, tile_hashes};

/// Levels of the tree within one tile.
pub const TILE_HEIGHT: u8 = 8;

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;
