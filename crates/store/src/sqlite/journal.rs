//! The log in memory beside its rows: tree edge, newest checkpoint, and how both grow.

use chancery_domain::time::Timestamp;
use chancery_faults::step;
use chancery_ledger::tree::Root;
use chancery_ledger::{Checkpoint, Edge, Hash, Origin, SignedCheckpoint, SignerKey, Tree, VerifierKey};
use rusqlite::{Connection, OptionalExtension, params};

use super::{TENANT, tiles};
use crate::error::{Fault, OpenError};

/// Signs the checkpoints of one log.
pub struct LogSigner {
    origin: Origin,
    key: LogKey,
}

enum LogKey {
    Signs(SignerKey),
    /// Of a log that has ended: its checkpoints can be read, and none is made.
    Closed(VerifierKey),
}

impl LogSigner {
    /// The log of this name, signed by this key; the key's name has to be the origin.
    pub fn new(origin: Origin, key: SignerKey) -> Self {
        Self { origin, key: LogKey::Signs(key) }
    }

    /// A log that has ended. A store of it takes no leaves; whatever stands beside them may still change.
    pub fn closed(origin: Origin, key: VerifierKey) -> Self {
        Self { origin, key: LogKey::Closed(key) }
    }

    /// Whether it signs nothing any more.
    pub fn is_closed(&self) -> bool {
        matches!(self.key, LogKey::Closed(_))
    }

    /// The public half of the key.
    pub fn verifier(&self) -> &VerifierKey {
        match &self.key {
            LogKey::Signs(key) => key.verifier(),
            LogKey::Closed(key) => key,
        }
    }

    fn sign(&self, root: Root) -> Result<SignedCheckpoint, Fault> {
        let LogKey::Signs(key) = &self.key else { return Err(Fault::ReadOnly) };
        let signed = Checkpoint::new(self.origin.clone(), root).sign(key);
        signed.map_err(|error| Fault::Damaged(error.to_string()))
    }
}

/// The log as of the newest commit.
pub(super) struct Journal {
    edge: Edge,
    checkpoint: SignedCheckpoint,
    newest_time: Option<Timestamp>,
}

impl Journal {
    /// Writes the checkpoint of the empty log into a new database.
    pub(super) fn begin(connection: &Connection, signer: &LogSigner) -> Result<(), OpenError> {
        let checkpoint = signer.sign(Root::EMPTY)?;
        connection
            .execute(
                "INSERT INTO log_head (tenant, size, note) VALUES (?1, 0, ?2)",
                params![TENANT, checkpoint.note().to_string().as_bytes()],
            )
            .map_err(Fault::from)?;
        Ok(())
    }

    /// Whether the database holds a log at all.
    pub(super) fn exists(connection: &Connection) -> Result<bool, Fault> {
        let sql = "SELECT EXISTS (SELECT 1 FROM log_head WHERE tenant = ?1)";
        Ok(connection.query_row(sql, [TENANT], |row| row.get(0))?)
    }

    /// Restores the tree's edge from stored tiles, and verifies it against the stored checkpoint.
    pub(super) fn load(connection: &Connection, signer: &LogSigner) -> Result<Self, OpenError> {
        let checkpoint =
            checkpoint(connection, signer.verifier()).map_err(|e| OpenError::Log(e.to_string()))?;
        let stored = |path: &_| tiles::tile(connection, path).ok().flatten();
        let tree = Tree::load(checkpoint.root(), stored).map_err(|e| OpenError::Log(e.to_string()))?;
        let newest_time = newest_time(connection)?;
        Ok(Self { edge: tree.into(), checkpoint, newest_time })
    }

    /// Stages the tiles, signs the new checkpoint and stores it, all in the open transaction.
    pub(super) fn grow(
        &self,
        connection: &Connection,
        signer: &LogSigner,
        leaf_hashes: &[Hash],
        newest_time: Option<Timestamp>,
    ) -> Result<Self, Fault> {
        let (edge, growth) = self.edge.append(leaf_hashes).map_err(|e| Fault::Damaged(e.to_string()))?;
        for (path, bytes) in &growth.tiles {
            step("store.tile", || tiles::store(connection, path, bytes))?;
        }
        let checkpoint = step("store.sign", || signer.sign(growth.root))?;
        // INVARIANT: a checkpoint is signed over the one before it, or not at all. The lock file keeps others
        // away; should one have written nevertheless, this finds no row and the whole batch fails.
        let replaced = step("store.head", || -> Result<usize, Fault> {
            let sql =
                "UPDATE log_head SET size = ?3, note = ?4, newest_time = ?5 WHERE tenant = ?1 AND size = ?2";
            Ok(connection.prepare_cached(sql)?.execute(params![
                TENANT,
                self.size(),
                growth.new_size(),
                checkpoint.note().to_string().as_bytes(),
                newest_time.map(Timestamp::unix),
            ])?)
        })?;
        if replaced != 1 {
            return Err(Fault::Damaged("another process has written to the log".to_owned()));
        }
        Ok(Self { edge, checkpoint, newest_time })
    }

    /// Number of leaves.
    pub(super) fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The newest checkpoint.
    pub(super) fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// The newest checkpoint's note, as it is stored and published.
    pub(super) fn note(&self) -> Vec<u8> {
        self.checkpoint.note().to_string().into_bytes()
    }

    /// Greatest time of any event.
    pub(super) fn newest_time(&self) -> Option<Timestamp> {
        self.newest_time
    }
}

/// Adds one row to the log. The primary key refuses an index that is taken.
pub(super) fn insert_leaf(connection: &Connection, index: u64, bytes: &[u8]) -> Result<(), Fault> {
    connection
        .prepare_cached("INSERT INTO leaves (tenant, leaf_index, bytes) VALUES (?1, ?2, ?3)")?
        .execute(params![TENANT, index, bytes])?;
    Ok(())
}

/// The stored checkpoint, its signature verified.
pub(super) fn checkpoint(connection: &Connection, key: &VerifierKey) -> Result<SignedCheckpoint, Fault> {
    let (size, note): (u64, Vec<u8>) = connection
        .prepare_cached("SELECT size, note FROM log_head WHERE tenant = ?1")?
        .query_row([TENANT], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| Fault::Damaged("the log has no checkpoint".to_owned()))?;
    let checkpoint = Checkpoint::open(&note, key).map_err(|e| Fault::Damaged(e.to_string()))?;
    if checkpoint.root().size() != size {
        return Err(Fault::Damaged(format!("the checkpoint's note does not have the size `{size}`")));
    }
    Ok(checkpoint)
}

/// Greatest time of any event.
pub(super) fn newest_time(connection: &Connection) -> Result<Option<Timestamp>, Fault> {
    let seconds: Option<i64> = connection
        .prepare_cached("SELECT newest_time FROM log_head WHERE tenant = ?1")?
        .query_row([TENANT], |row| row.get(0))?;
    seconds
        .map(|seconds| Timestamp::from_unix(seconds).map_err(|e| Fault::Damaged(e.to_string())))
        .transpose()
}
