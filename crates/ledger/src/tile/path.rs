//! Names of tiles and bundles, and which of them a growing tree touches.

use std::fmt;
use std::str::FromStr;

use super::{TILE_HEIGHT, TILE_WIDTH};
use crate::decimal;
use crate::tree::MAX_SIZE;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// The log entries themselves, each after its length.
    Entries,
    /// Hashes of complete subtrees of `256^level` leaves.
    Hashes {
        /// 0 to 63; a tree within [`MAX_SIZE`] has tiles up to level 7.
        level: u8,
    },
}

/// The path of one tile or bundle, as `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
///
/// Parsing accepts the one canonical spelling only, so equal tiles have equal paths.
///
/// INVARIANT: level ≤ 63, `1 ≤ width ≤ 256`, and the tile begins below leaf 2^63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl TilePath {
    /// The tile number `index` of a kind, `width` hashes or entries wide.
    ///
    /// # Errors
    /// [`TilePathError`] names what is out of range.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Result<TilePath, TilePathError> {
        let level = match kind {
            TileKind::Entries => 0,
            TileKind::Hashes { level } => level,
        };
        if level > 63 {
            return Err(TilePathError::Level { level });
        }
        if width == 0 || width > TILE_WIDTH {
            return Err(TilePathError::Width { width });
        }
        let shift = u32::from(level + 1) * u32::from(TILE_HEIGHT);
        // `index` tiles of `1 << shift` leaves each come before this one.
        let fits = index == 0 || (shift < 63 && index < MAX_SIZE >> shift);
        if fits { Ok(TilePath { kind, index, width }) } else { Err(TilePathError::Index { index }) }
    }

    /// What the tile holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Number of the tile within its level, from 0 at the left.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds: 1 to 255 in a partial tile, 256 in a full one.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether the tile will never change again.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The same tile when it is full.
    pub fn full(&self) -> TilePath {
        TilePath { width: TILE_WIDTH, ..*self }
    }
}

/// The tile of a kind at `index` as a tree of `size` leaves has it; `None` if it has none there.
pub fn tile_at(kind: TileKind, index: u64, size: u64) -> Option<TilePath> {
    let level = match kind {
        TileKind::Entries => 0,
        TileKind::Hashes { level } => level,
    };
    let hashes = size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0);
    let before = index.checked_mul(u64::from(TILE_WIDTH))?;
    let width = u16::try_from(hashes.checked_sub(before)?.min(u64::from(TILE_WIDTH))).ok()?;
    TilePath::new(kind, index, width).ok()
}

/// Every tile and bundle that a tree has at `new_size` and did not have, at that width, at `old_size`.
///
/// These are what must be stored before a checkpoint of the new size is published. Entry bundles come first,
/// then hash tiles from the lowest level up, each from left to right. Empty if the tree does not grow. The
/// list is as long as the growth divided by 256: meant for a batch, not for a whole log.
pub fn tiles_between(old_size: u64, new_size: u64) -> Vec<TilePath> {
    let mut kinds = vec![TileKind::Entries];
    kinds.extend((0..=7).map(|level| TileKind::Hashes { level }));
    let mut paths = Vec::new();
    for kind in kinds {
        let level = match kind {
            TileKind::Entries => 0,
            TileKind::Hashes { level } => level,
        };
        let shift = level * TILE_HEIGHT;
        let (old, new) = (old_size >> shift, new_size >> shift);
        if new <= old {
            continue;
        }
        let last = (new - 1) >> TILE_HEIGHT;
        paths.extend(((old >> TILE_HEIGHT)..=last).filter_map(|index| tile_at(kind, index, new_size)));
    }
    paths
}

impl fmt::Display for TilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => write!(formatter, "tile/entries/")?,
            TileKind::Hashes { level } => write!(formatter, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (position, group) in groups.iter().enumerate().rev() {
            if position > 0 {
                write!(formatter, "x{group:03}/")?;
            } else {
                write!(formatter, "{group:03}")?;
            }
        }
        if self.is_full() { Ok(()) } else { write!(formatter, ".p/{}", self.width) }
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<TilePath, TilePathError> {
        let path = parse_loosely(text)?;
        // One spelling each: this refuses `x000/` groups and `.p/256`, which the loose parser lets through.
        if path.to_string() == text { Ok(path) } else { Err(TilePathError::Syntax) }
    }
}

fn parse_loosely(text: &str) -> Result<TilePath, TilePathError> {
    let rest = text.strip_prefix("tile/").ok_or(TilePathError::Syntax)?;
    let (kind, rest) = rest.split_once('/').ok_or(TilePathError::Syntax)?;
    let kind = match kind {
        "entries" => TileKind::Entries,
        level => TileKind::Hashes { level: parse_small(level)? },
    };
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => (number, parse_small(width)?),
        None => (rest, TILE_WIDTH),
    };
    TilePath::new(kind, parse_number(number)?, width)
}

fn parse_small<T: TryFrom<u64>>(text: &str) -> Result<T, TilePathError> {
    decimal::parse(text).and_then(|number| T::try_from(number).ok()).ok_or(TilePathError::Syntax)
}

/// `x001/x234/067` is 1234067.
fn parse_number(text: &str) -> Result<u64, TilePathError> {
    text.split('/').try_fold(0_u64, |number, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(TilePathError::Syntax);
        }
        let group = digits.parse().map_err(|_| TilePathError::Syntax)?;
        number.checked_mul(1000).and_then(|number| number.checked_add(group)).ok_or(TilePathError::Syntax)
    })
}

/// Why a text or its parts are no tile path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TilePathError {
    /// Not the canonical spelling of any tile.
    #[error("not a tile path; write `tile/0/x001/x234/067`, or `.p/W` after it for a partial tile")]
    Syntax,
    /// The level is over 63.
    #[error("there is no tile level `{level}`; levels are 0 to 63")]
    Level {
        /// The level asked for.
        level: u8,
    },
    /// The tile would begin at or over leaf 2^63.
    #[error("tile number `{index}` is over the limit of its level")]
    Index {
        /// The number asked for.
        index: u64,
    },
    /// The width is 0 or over 256.
    #[error("a tile cannot be `{width}` wide; widths are 1 to 256")]
    Width {
        /// The width asked for.
        width: u16,
    },
}
