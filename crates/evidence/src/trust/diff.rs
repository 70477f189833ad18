//! What changed between two versions of `trust.json`, for a person who is about to sign the second.

use serde_json::{Map, Value};

use super::TrustRoot;

/// Members that tell the elements of an array apart, where they have one.
const NAMES: [&str; 3] = ["id", "origin", "credential_id"];

/// One line for each difference, by JSON pointer (RFC 6901): `+` added, `-` removed, `~` changed. Empty when
/// both say the same.
pub fn diff(before: &TrustRoot, after: &TrustRoot) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", &before.canonical().value(), &after.canonical().value(), &mut lines);
    lines
}

fn compare(pointer: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => members(pointer, before, after, lines),
        (Value::Array(old), Value::Array(new)) => {
            let known = lines.len();
            members(pointer, &named(old), &named(new), lines);
            // The last of a list may be the one that signs, so another order is a difference too.
            if lines.len() == known && old != new {
                lines.push(format!("~ {pointer}: {before} → {after}"));
            }
        }
        (before, after) if before != after => lines.push(format!("~ {pointer}: {before} → {after}")),
        _ => {}
    }
}

fn members(pointer: &str, before: &Map<String, Value>, after: &Map<String, Value>, lines: &mut Vec<String>) {
    for (name, old) in before {
        let inner = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        match after.get(name) {
            Some(new) => compare(&inner, old, new, lines),
            None => lines.push(format!("- {inner}: {old}")),
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        lines.push(format!("+ {pointer}/{}: {new}", name.replace('~', "~0").replace('/', "~1")));
    }
}

/// An array as an object: by the elements' own names, else by the elements themselves, so that an element put
/// in front does not make every later one look changed.
fn named(elements: &[Value]) -> Map<String, Value> {
    let name = |element: &Value| {
        let own = NAMES.iter().find_map(|name| element.get(name)).and_then(Value::as_str);
        own.map_or_else(|| element.to_string(), str::to_owned)
    };
    elements.iter().map(|element| (name(element), element.clone())).collect()
}
