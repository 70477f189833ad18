//! What stands beside a leaf and can be erased: disclosures and clear values.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::TENANT;
use super::events::parse_json;
use crate::append::Erasure;
use crate::erasure::erase_values;
use crate::error::{AppendError, Fault, Refusal};

/// Stores private values beside an event; says whether there is such an event.
pub(super) fn put(connection: &Connection, leaf_index: u64, private: &Value) -> Result<bool, Fault> {
    let stored = connection
        .prepare_cached("UPDATE events SET private = ?3 WHERE tenant = ?1 AND leaf_index = ?2")?
        .execute(params![TENANT, leaf_index, private.to_string()])?;
    Ok(stored == 1)
}

/// Drops disclosures and their clear copies beside one event. The leaf is not touched.
pub(super) fn erase(connection: &Connection, erasure: &Erasure) -> Result<(), AppendError> {
    let leaf_index = erasure.leaf_index;
    let found: Option<Option<String>> = connection
        .prepare_cached("SELECT private FROM events WHERE tenant = ?1 AND leaf_index = ?2")?
        .query_row(params![TENANT, leaf_index], |row| row.get(0))
        .optional()?;
    let Some(text) = found.flatten() else { return Err(Refusal::NothingToErase { leaf_index }.into()) };
    let mut private = parse_json(&text)?;
    erase_values(&mut private, &erasure.digests);
    put(connection, leaf_index, &private)?;
    Ok(())
}
