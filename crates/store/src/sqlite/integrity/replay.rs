//! One pass over the leaves: the tree they make, and the streams they tell of.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::Sha256;
use chancery_domain::leaf::EventLeaf;
use chancery_ledger::tile::TileKind;
use chancery_ledger::tree::Root;
use chancery_ledger::{Tree, leaf_hash};
use rusqlite::{Connection, Row, params};

use super::super::TENANT;
use super::Findings;
use crate::error::Fault;
use crate::record::Check;

/// Leaves that are hashed before the tree grows by them; whole tiles, so few partial ones are made.
const CHUNK: usize = 4_096;

/// Every leaf with the row that claims it, as event or as attestation.
const LEAVES: &str = "
    SELECT l.leaf_index, l.bytes, e.stream, e.version, e.kind, e.recorded_at, a.event_index,
           e.private IS NOT NULL AND NOT json_valid(e.private)
    FROM leaves l
    LEFT JOIN events e ON e.tenant = l.tenant AND e.leaf_index = l.leaf_index
    LEFT JOIN attestations a ON a.tenant = l.tenant AND a.leaf_index = l.leaf_index
    WHERE l.tenant = ?1 ORDER BY l.leaf_index";

/// What the leaves say, recomputed.
pub(super) struct Replay {
    tree: Tree,
    chunk: Vec<Vec<u8>>,
    /// Hash tiles by level and number.
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
    /// Version and leaf hash of each stream's newest event.
    streams: BTreeMap<String, (u64, Sha256)>,
    next_index: u64,
}

impl Replay {
    /// Reads every leaf.
    pub(super) fn of(connection: &Connection, findings: &mut Findings) -> Result<Self, Fault> {
        let mut replay = Self {
            tree: Tree::empty(),
            chunk: Vec::new(),
            tiles: BTreeMap::new(),
            streams: BTreeMap::new(),
            next_index: 0,
        };
        let mut statement = connection.prepare(LEAVES)?;
        let mut rows = statement.query([TENANT])?;
        while let Some(row) = rows.next()? {
            replay.leaf(row, findings)?;
            if replay.chunk.len() >= CHUNK {
                replay.grow()?;
            }
        }
        replay.grow()?;
        Ok(replay)
    }

    /// Size and root of the tree that the leaves make.
    pub(super) fn root(&self) -> Root {
        self.tree.root()
    }

    fn grow(&mut self) -> Result<(), Fault> {
        let (tree, growth) = self.tree.append(&self.chunk).map_err(|e| Fault::Damaged(e.to_string()))?;
        for (path, bytes) in growth.tiles {
            if let TileKind::Hashes { level } = path.kind() {
                self.tiles.insert((level, path.index()), bytes);
            }
        }
        self.tree = tree;
        self.chunk.clear();
        Ok(())
    }

    fn leaf(&mut self, row: &Row<'_>, findings: &mut Findings) -> Result<(), Fault> {
        let index: u64 = row.get(0)?;
        if index != self.next_index {
            findings.add(Check::Leaves, format!("leaf {} is missing, leaf {index} is next", self.next_index));
        }
        self.next_index = index.saturating_add(1);
        let bytes: Vec<u8> = row.get(1)?;
        let stream: Option<String> = row.get(2)?;
        let event_index: Option<u64> = row.get(6)?;
        match (stream, event_index) {
            (Some(_), None) => self.event(index, &bytes, row, findings)?,
            (None, Some(event)) if event.checked_add(1) == Some(index) => {}
            (None, Some(event)) => findings.add(
                Check::Events,
                format!("the attestation of the event at leaf {event} stands at leaf {index}, not after it"),
            ),
            (None, None) => findings.add(Check::Leaves, format!("leaf {index} belongs to nothing")),
            (Some(_), Some(_)) => {
                findings.add(Check::Leaves, format!("leaf {index} is claimed as event and as attestation"));
            }
        }
        self.chunk.push(bytes);
        Ok(())
    }

    fn event(
        &mut self,
        index: u64,
        bytes: &[u8],
        row: &Row<'_>,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        let leaf = match EventLeaf::from_bytes(bytes) {
            Ok(leaf) => leaf,
            Err(error) => {
                findings.add(Check::Leaves, format!("leaf {index}: {error}"));
                return Ok(());
            }
        };
        let said: (String, u64, String, i64) = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
        let stream = leaf.stream.to_string();
        if said != (stream.clone(), leaf.version, leaf.kind.clone(), leaf.time.unix()) {
            findings.add(Check::Events, format!("the row of leaf {index} says something else than the leaf"));
        }
        if row.get(7)? {
            findings.add(Check::Events, format!("the private values of leaf {index} are not JSON"));
        }
        let (version, previous) = match self.streams.get(&stream) {
            Some((version, hash)) => (version.saturating_add(1), Some(*hash)),
            None => (1, None),
        };
        if (leaf.version, leaf.previous) != (version, previous) {
            findings.add(
                Check::Streams,
                format!(
                    "leaf {index} does not continue `{stream}`: version {} where {version} belongs, or a \
                         `previous` that is not the event before",
                    leaf.version
                ),
            );
        }
        let hash = Sha256::from_bytes(*leaf_hash(bytes).as_bytes());
        self.streams.insert(stream, (leaf.version, hash));
        Ok(())
    }

    /// Compares stored tiles and stream heads with the recomputed ones.
    pub(super) fn compare(&self, connection: &Connection, findings: &mut Findings) -> Result<(), Fault> {
        self.compare_tiles(connection, findings)?;
        self.compare_streams(connection, findings)
    }

    fn compare_tiles(&self, connection: &Connection, findings: &mut Findings) -> Result<(), Fault> {
        let mut missing: BTreeSet<_> = self.tiles.keys().copied().collect();
        let mut statement =
            connection.prepare("SELECT level, number, hashes FROM tiles WHERE tenant = ?1")?;
        let mut rows = statement.query(params![TENANT])?;
        while let Some(row) = rows.next()? {
            let (level, number): (u8, u64) = (row.get(0)?, row.get(1)?);
            let hashes: Vec<u8> = row.get(2)?;
            missing.remove(&(level, number));
            if self.tiles.get(&(level, number)) != Some(&hashes) {
                findings
                    .add(Check::Tiles, format!("tile {number} of level {level} is not what the leaves make"));
            }
        }
        for (level, number) in missing {
            findings.add(Check::Tiles, format!("tile {number} of level {level} is missing"));
        }
        Ok(())
    }

    fn compare_streams(&self, connection: &Connection, findings: &mut Findings) -> Result<(), Fault> {
        let mut missing: BTreeSet<&str> = self.streams.keys().map(String::as_str).collect();
        let mut statement =
            connection.prepare("SELECT stream, version, head FROM streams WHERE tenant = ?1")?;
        let mut rows = statement.query(params![TENANT])?;
        while let Some(row) = rows.next()? {
            let stream: String = row.get(0)?;
            let head = (row.get(1)?, Sha256::from_bytes(row.get(2)?));
            missing.remove(stream.as_str());
            if self.streams.get(&stream) != Some(&head) {
                findings.add(Check::Streams, format!("the head of `{stream}` is not its newest event"));
            }
        }
        for stream in missing {
            findings.add(Check::Streams, format!("`{stream}` has events and no head"));
        }
        Ok(())
    }
}
