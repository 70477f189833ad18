//! `bundle.toml`: what a bundle says of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{BundleError, SETTINGS};

/// The whole file. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The engine that may judge by this bundle, as [`crate::engine_version`] names it; any, when absent.
    pub engine: Option<String>,
    /// What bounds an evaluation.
    pub limits: Limits,
    /// What a change of the bundle must pass.
    pub gates: Gates,
    /// Packages whose sets are read, by name.
    pub roots: BTreeMap<String, Root>,
}

/// What bounds an evaluation. Never the wall clock: a stalled host must not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Evaluation steps of the engine, over all sets together.
    pub fuel: u64,
    /// Bytes of memory. The interpreter cannot count its own memory yet: today this bounds the size of the input
    /// alone. What comes out is bounded by the number and length of a set's elements.
    pub memory_bytes: u64,
}

/// What a change of the bundle must pass before it is activated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// Least share of lines of rules that the tests reach.
    pub coverage_percent: u8,
    /// Most past decisions, in a hundred, that the new bundle may allow where the old one did not.
    pub newly_allowed_percent: u8,
}

/// A package whose sets are read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Roles whose holders may change it.
    pub owners: BTreeSet<String>,
    /// Whether its `allow` counts.
    #[serde(default)]
    pub allow: bool,
    /// Whether its risk factors may carry negative points.
    #[serde(default)]
    pub negative_points: bool,
}

/// Reads the settings.
pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Settings, BundleError> {
    let refused = |cause: &str| BundleError::Settings(cause.to_owned());
    let bytes = files.get(SETTINGS).ok_or_else(|| refused("it is missing: add it"))?;
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
    let settings: Settings =
        toml::from_str(text).map_err(|cause| BundleError::Settings(cause.message().to_owned()))?;
    let Limits { fuel, memory_bytes } = settings.limits;
    if !(1_000..=100_000_000).contains(&fuel) {
        return Err(refused("`limits.fuel` must be within 1000 and 100000000 steps"));
    }
    if !(65_536..=1_073_741_824).contains(&memory_bytes) {
        return Err(refused("`limits.memory_bytes` must be within 65536 and 1073741824 bytes"));
    }
    if settings.gates.coverage_percent > 100 || settings.gates.newly_allowed_percent > 100 {
        return Err(refused("a percentage of `gates` is over 100"));
    }
    if !settings.roots.contains_key("chancery") {
        return Err(refused("`roots` must name `chancery`, with its owners"));
    }
    for (name, root) in &settings.roots {
        let inside = name == "chancery" || name.starts_with("chancery.");
        if !inside || root.owners.is_empty() {
            return Err(BundleError::Settings(format!(
                "root `{name}` must be under `chancery` and have owners"
            )));
        }
    }
    Ok(settings)
}
