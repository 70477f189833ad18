//! What stands beside a leaf and can be erased: disclosures and clear values.

use std::collections::BTreeSet;

use chancery_canonical::{Disclosure, Sha256};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::TENANT;
use super::events::parse_json;
use crate::append::Erasure;
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
    let digests = erasure.digests.iter().copied().collect();
    let mut dropped = Vec::new();
    collect(&private, &digests, &mut dropped);
    prune(&mut private, &dropped);
    put(connection, leaf_index, &private)?;
    Ok(())
}

/// A text that goes, and the member it discloses (none if it is no disclosure after all; it goes nevertheless).
struct Dropped {
    text: String,
    disclosure: Option<Disclosure>,
}

impl Dropped {
    /// Whether `value` is this very text.
    fn is(&self, value: &Value) -> bool {
        value.as_str() == Some(&self.text)
    }

    /// Whether an object's member says in clear what this one disclosed.
    fn is_clear_copy(&self, name: &str, value: &Value) -> bool {
        self.disclosure.as_ref().is_some_and(|gone| gone.name() == name && gone.value() == value)
    }
}

/// Finds the disclosures of these digests, wherever they stand.
fn collect(value: &Value, digests: &BTreeSet<Sha256>, dropped: &mut Vec<Dropped>) {
    match value {
        Value::String(text) if digests.contains(&Sha256::of(text.as_bytes())) => {
            dropped.push(Dropped { text: text.clone(), disclosure: Disclosure::parse(text).ok() });
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, digests, dropped)),
        Value::Object(members) => members.values().for_each(|member| collect(member, digests, dropped)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Removes the dropped texts, and members that say the same in clear.
fn prune(value: &mut Value, dropped: &[Dropped]) {
    match value {
        Value::Array(elements) => {
            elements.retain(|element| !dropped.iter().any(|gone| gone.is(element)));
            elements.iter_mut().for_each(|element| prune(element, dropped));
        }
        Value::Object(members) => {
            members.retain(|name, member| {
                !dropped.iter().any(|gone| gone.is(member) || gone.is_clear_copy(name, member))
            });
            members.values_mut().for_each(|member| prune(member, dropped));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
