//! Tiles and entries of the log. Entry bundles are cut from the leaves, so they cannot differ from them.

use std::ops::Range;

use chancery_ledger::TilePath;
use chancery_ledger::tile::{TILE_WIDTH, TileKind, encode_entry};
use chancery_ledger::tree::Hash;
use rusqlite::{Connection, OptionalExtension, params};

use super::TENANT;
use crate::error::Fault;

/// Stores a hash tile in place of its narrower version. Entry bundles are not stored.
pub(super) fn store(connection: &Connection, path: &TilePath, bytes: &[u8]) -> Result<(), Fault> {
    let TileKind::Hashes { level } = path.kind() else { return Ok(()) };
    connection
        .prepare_cached(
            "INSERT INTO tiles (tenant, level, number, hashes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, level, number) DO UPDATE SET hashes = excluded.hashes",
        )?
        .execute(params![TENANT, level, path.index(), bytes])?;
    Ok(())
}

/// The tile or bundle at the width asked for, `None` if there is not that much of it.
pub(super) fn tile(connection: &Connection, path: &TilePath) -> Result<Option<Vec<u8>>, Fault> {
    let width = usize::from(path.width());
    match path.kind() {
        TileKind::Hashes { level } => {
            let hashes: Option<Vec<u8>> = connection
                .prepare_cached("SELECT hashes FROM tiles WHERE tenant = ?1 AND level = ?2 AND number = ?3")?
                .query_row(params![TENANT, level, path.index()], |row| row.get(0))
                .optional()?;
            // A wider tile begins with the narrower one.
            Ok(hashes.and_then(|hashes| hashes.get(..width * Hash::LENGTH).map(<[u8]>::to_vec)))
        }
        TileKind::Entries => {
            let first = path.index().saturating_mul(u64::from(TILE_WIDTH));
            let leaves = entries(connection, first..first.saturating_add(u64::from(path.width())))?;
            if leaves.len() < width {
                return Ok(None);
            }
            let mut bundle = Vec::new();
            for leaf in &leaves {
                encode_entry(&mut bundle, leaf).map_err(|e| Fault::Damaged(e.to_string()))?;
            }
            Ok(Some(bundle))
        }
    }
}

/// Leaf bytes by index, cut at the end of the log. A gap is damage.
pub(super) fn entries(connection: &Connection, range: Range<u64>) -> Result<Vec<Vec<u8>>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT leaf_index, bytes FROM leaves WHERE tenant = ?1 AND leaf_index >= ?2 AND leaf_index < ?3
         ORDER BY leaf_index",
    )?;
    let end = range.end.min(i64::MAX.unsigned_abs());
    let mut rows = statement.query(params![TENANT, range.start.min(end), end])?;
    let mut leaves = Vec::new();
    let mut expected = range.start;
    while let Some(row) = rows.next()? {
        let index: u64 = row.get(0)?;
        if index != expected {
            return Err(Fault::Damaged(format!("leaf {expected} is missing")));
        }
        leaves.push(row.get(1)?);
        expected = index.saturating_add(1);
    }
    Ok(leaves)
}
