//! Recomputing everything from the leaves. It trusts no row, index or tile: what it trusts is SHA-256 and the
//! log's public key.

mod replay;

use chancery_canonical::Sha256;
use chancery_ledger::tree::Root;
use chancery_ledger::{SignedCheckpoint, VerifierKey};
use rusqlite::Connection;

use super::{TENANT, journal, rebuild};
use crate::error::Fault;
use crate::record::{Check, Finding, Rebuild};
use crate::store::Projection;
use replay::Replay;

/// Findings stop at this many, so that one damaged page does not fill the terminal.
const MAX_FINDINGS: usize = 200;

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, check: Check, detail: impl Into<String>) {
        if self.0.len() < MAX_FINDINGS {
            self.0.push(Finding { check, detail: detail.into() });
        }
    }

    /// Turns a fault of one examination into a finding, so that the others still run.
    fn note(&mut self, check: Check, result: Result<(), Fault>) {
        if let Err(fault) = result {
            self.add(check, fault.to_string());
        }
    }
}

/// Runs every examination on one snapshot of the database.
pub(super) fn examine(
    connection: &Connection,
    key: &VerifierKey,
    projection: Option<&Projection>,
) -> Result<Vec<Finding>, Fault> {
    let snapshot = connection.unchecked_transaction()?;
    let mut findings = Findings::default();
    let engine = examine_engine(&snapshot, &mut findings);
    findings.note(Check::Engine, engine);
    let checkpoint = match journal::checkpoint(&snapshot, key) {
        Ok(checkpoint) => Some(checkpoint),
        Err(fault) => {
            findings.add(Check::Checkpoint, fault.to_string());
            None
        }
    };
    let replayed = Replay::of(&snapshot, &mut findings);
    match replayed {
        Ok(replay) => {
            let compared = replay.compare(&snapshot, &mut findings);
            findings.note(Check::Tiles, compared);
            compare_roots(replay.root(), checkpoint.as_ref(), &mut findings);
        }
        Err(fault) => findings.add(Check::Leaves, fault.to_string()),
    }
    let documents = examine_documents(&snapshot, &mut findings);
    findings.note(Check::Documents, documents);
    if let Some(projection) = projection {
        let rows = examine_read_model(&snapshot, projection, &mut findings);
        findings.note(Check::ReadModel, rows);
    }
    Ok(findings.0)
}

fn examine_engine(connection: &Connection, findings: &mut Findings) -> Result<(), Fault> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            findings.add(Check::Engine, line);
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        findings.add(Check::Engine, format!("a row of `{table}` names one that `{parent}` does not have"));
    }
    Ok(())
}

fn compare_roots(root: Root, checkpoint: Option<&SignedCheckpoint>, findings: &mut Findings) {
    let Some(checkpoint) = checkpoint else { return };
    let signed = *checkpoint.root();
    if root != signed {
        findings.add(
            Check::Checkpoint,
            format!(
                "the leaves make size {} and root `{}`, signed are size {} and root `{}`",
                root.size(),
                root.hash(),
                signed.size(),
                signed.hash()
            ),
        );
    }
}

fn examine_documents(connection: &Connection, findings: &mut Findings) -> Result<(), Fault> {
    let mut statement = connection.prepare("SELECT sha256, bytes FROM documents WHERE tenant = ?1")?;
    let mut rows = statement.query([TENANT])?;
    while let Some(row) = rows.next()? {
        let sha256 = Sha256::from_bytes(row.get(0)?);
        let bytes: Vec<u8> = row.get(1)?;
        if Sha256::of(&bytes) != sha256 {
            findings.add(Check::Documents, format!("the document `{sha256}` has other bytes"));
        }
    }
    Ok(())
}

fn examine_read_model(
    connection: &Connection,
    projection: &Projection,
    findings: &mut Findings,
) -> Result<(), Fault> {
    for difference in rebuild::rebuild(connection, Rebuild::Compare, projection)? {
        let what = match (difference.stored, difference.rebuilt) {
            (None, _) => "is missing",
            (Some(_), None) => "has no events behind it",
            (Some(_), Some(_)) => "is not what its events make",
        };
        findings.add(Check::ReadModel, format!("the row of request `{}` {what}", difference.id));
    }
    Ok(())
}
