//! The data documents of a bundle: entitlements, thresholds, and an organisation's own.

use std::collections::BTreeMap;

use chancery_canonical::json::{self, Map, Value};
use serde::Deserialize;

use super::{BundleError, Tiers};
use crate::entitlement::Entitlement;
use crate::rego::HOST_PACKAGE;

/// Names under `data` that hold rules alone.
const RULES_ALONE: [&str; 2] = ["chancery", HOST_PACKAGE];

/// Joins all `data.yaml` and `data.json` under the paths of their directories, as OPA does.
pub fn assemble(files: &BTreeMap<String, Vec<u8>>) -> Result<Map<String, Value>, BundleError> {
    assemble_under(files, |_| true)
}

/// The same of those directories alone that are wanted.
fn assemble_under(
    files: &BTreeMap<String, Vec<u8>>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Map<String, Value>, BundleError> {
    let mut tree = Map::new();
    for (path, bytes) in files {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !wanted(directory) {
            continue;
        }
        let document = match name {
            "data.yaml" => read_yaml(path, bytes)?,
            "data.json" => json::parse(bytes).map_err(|cause| refused(path, &cause.to_string()))?,
            _ => continue,
        };
        let Value::Object(document) = document else {
            return Err(refused(path, "it is not an object: give each value a name"));
        };
        let top = directory.split('/').next().filter(|part| !part.is_empty());
        let clash = RULES_ALONE
            .iter()
            .any(|name| top.map_or_else(|| document.contains_key(*name), |top| top == *name));
        if clash || top == Some("tests") {
            return Err(refused(
                path,
                "`chancery`, `chancery_host` and `tests` hold no data: move it beside `thresholds`",
            ));
        }
        merge(place(&mut tree, directory).ok_or_else(|| conflict(path))?, document)
            .ok_or_else(|| conflict(path))?;
    }
    Ok(tree)
}

fn refused(file: &str, cause: &str) -> BundleError {
    BundleError::Data { file: file.to_owned(), cause: cause.to_owned() }
}

fn conflict(file: &str) -> BundleError {
    refused(file, "another file defines the same value: keep one")
}

/// YAML without what JSON lacks; the reader bounds aliases and nesting and refuses repeated keys.
fn read_yaml(path: &str, bytes: &[u8]) -> Result<Value, BundleError> {
    let value: Value = serde_saphyr::from_slice(bytes).map_err(|cause| refused(path, &cause.to_string()))?;
    // Through the canonical form, so that floats and large integers are refused here and not at evaluation.
    let canonical = json::canonical_of(&value).map_err(|cause| refused(path, &cause.to_string()))?;
    json::parse(canonical.as_bytes()).map_err(|cause| refused(path, &cause.to_string()))
}

fn place<'a>(tree: &'a mut Map<String, Value>, directory: &str) -> Option<&'a mut Map<String, Value>> {
    let mut place = tree;
    for part in directory.split('/').filter(|part| !part.is_empty()) {
        place = place.entry(part).or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
    }
    Some(place)
}

fn merge(target: &mut Map<String, Value>, source: Map<String, Value>) -> Option<()> {
    for (name, value) in source {
        match (target.get_mut(&name), value) {
            (None, value) => {
                target.insert(name, value);
            }
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more)?,
            (Some(_), _) => return None,
        }
    }
    Some(())
}

/// The typed view of one of `data.entitlements`, from the files that can have a part in it.
pub fn entitlement(
    files: &BTreeMap<String, Vec<u8>>,
    name: &str,
) -> Result<Option<Entitlement>, BundleError> {
    let data = assemble_under(files, |directory| {
        let mut parts = directory.split('/').filter(|part| !part.is_empty());
        parts.next().is_none_or(|top| top == "entitlements") && parts.next().is_none_or(|part| part == name)
    })?;
    let value = data.get("entitlements").and_then(|listed| listed.get(name));
    value.map(|value| parse(name, value)).transpose()
}

fn parse(name: &str, value: &Value) -> Result<Entitlement, BundleError> {
    let file = format!("entitlements/{name}/data.yaml");
    Entitlement::parse(name, value).map_err(|cause| refused(&file, &cause.to_string()))
}

/// The typed view of `data.entitlements`.
pub fn entitlements(data: &Map<String, Value>) -> Result<BTreeMap<String, Entitlement>, BundleError> {
    let Some(Value::Object(listed)) = data.get("entitlements") else {
        return Err(refused("entitlements", "nothing may be requested: add `entitlements/<name>/data.yaml`"));
    };
    listed.iter().map(|(name, value)| Ok((name.clone(), parse(name, value)?))).collect()
}

/// One tunable number, with its guard rails.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Threshold {
    value: i64,
    minimum: i64,
    maximum: i64,
    #[serde(rename = "unit")]
    _unit: String,
    #[serde(rename = "description")]
    _description: String,
}

/// Holds every threshold to its guard rails, and reads those that the host needs.
pub fn tiers(data: &Map<String, Value>) -> Result<Tiers, BundleError> {
    let file = "thresholds/data.yaml";
    let Some(Value::Object(thresholds)) = data.get("thresholds") else {
        return Err(refused(file, "it is missing: add the thresholds of the tiers"));
    };
    let mut values = BTreeMap::new();
    for (name, value) in thresholds {
        let threshold =
            Threshold::deserialize(value).map_err(|cause| refused(file, &format!("`{name}`: {cause}")))?;
        if !(threshold.minimum..=threshold.maximum).contains(&threshold.value) {
            let Threshold { value, minimum, maximum, .. } = threshold;
            return Err(refused(
                file,
                &format!("`{name}` is {value}, outside of its guard rails {minimum} to {maximum}"),
            ));
        }
        values.insert(name.as_str(), threshold.value);
    }
    let score = |name: &str| {
        let value = values.get(name).and_then(|value| u32::try_from(*value).ok());
        value.ok_or_else(|| refused(file, &format!("`{name}` must be a score of 0 to 100: add it")))
    };
    let tiers =
        Tiers { medium: score("tier_medium")?, high: score("tier_high")?, critical: score("tier_critical")? };
    if tiers.medium < tiers.high && tiers.high < tiers.critical && tiers.critical <= 100 {
        return Ok(tiers);
    }
    Err(refused(file, "`tier_medium`, `tier_high` and `tier_critical` must grow, up to 100"))
}
