//! What goes from the private values beside an event when some of them are erased. Every engine does the same.

use std::collections::BTreeSet;

use chancery_canonical::{Disclosure, Sha256};
use serde_json::Value;

/// Drops the disclosures of these digests, and their clear copies, wherever they stand in `private`.
pub fn erase_values(private: &mut Value, digests: &[Sha256]) {
    let digests = digests.iter().copied().collect();
    let mut dropped = Vec::new();
    collect(private, &digests, &mut dropped);
    prune(private, &dropped);
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
