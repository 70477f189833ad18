//! A policy bundle: files in plain OPA layout, checked before anything of them is believed
//! (interfaces.md §Policy bundle).

mod builtins;
mod data;
mod errors;
mod nesting;
mod scan;
mod settings;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chancery_canonical::json::{Map, Value};
use chancery_canonical::{Canonical, Sha256};

use crate::entitlement::Entitlement;

pub use errors::BundleError;
pub use scan::{Contribution, SETS, Source};
pub use settings::{Gates, Limits, Root, Settings};
pub use source::{MAX_BUNDLE_BYTES, MAX_FILE_BYTES, MAX_FILES};

use scan::{Parsed, Rules, Scan};

/// The OPA manifest, which the digest leaves out (formats.md).
pub const MANIFEST: &str = ".manifest";

/// The settings file.
pub const SETTINGS: &str = "bundle.toml";

/// A bundle that was checked: it parses, its references resolve, its builtins are deterministic, its
/// thresholds are within their guard rails.
#[derive(Clone, Debug)]
pub struct Bundle {
    files: BTreeMap<String, Vec<u8>>,
    digest: Sha256,
    settings: Settings,
    data: Map<String, Value>,
    entitlements: BTreeMap<String, Entitlement>,
    tiers: Tiers,
    rules: Rules,
    parsed: Parsed,
}

/// From which score on a request is of each tier (`thresholds/data.yaml`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiers {
    /// First score of `medium`.
    pub medium: u32,
    /// First score of `high`.
    pub high: u32,
    /// First score of `critical`.
    pub critical: u32,
}

impl Tiers {
    /// The tier of a score.
    pub fn of(self, score: u32) -> &'static str {
        if score >= self.critical {
            "critical"
        } else if score >= self.high {
            "high"
        } else if score >= self.medium {
            "medium"
        } else {
            "low"
        }
    }
}

impl Bundle {
    /// Reads a directory. Symbolic links and files of other kinds than a bundle's are refused.
    ///
    /// # Errors
    /// [`BundleError`]: the first thing that is wrong, with the file's name.
    pub fn read(directory: &Path) -> Result<Self, BundleError> {
        Self::from_files(source::read_directory(directory)?)
    }

    /// Takes the files by their paths inside the bundle, as evidence packs them.
    ///
    /// # Errors
    /// As [`Bundle::read`].
    pub fn from_files(files: BTreeMap<String, Vec<u8>>) -> Result<Self, BundleError> {
        source::check_files(&files)?;
        let settings = settings::parse(&files)?;
        let data = data::assemble(&files)?;
        let entitlements = data::entitlements(&data)?;
        let tiers = data::tiers(&data)?;
        let (rules, parsed) = Scan::of(&files, &data)?.check(&settings)?;
        let digest = digest_of(&files)?;
        Ok(Self { files, digest, settings, data, entitlements, tiers, rules, parsed })
    }

    /// One thing that may be requested by these files, for whoever does not judge: the rules, and the data of everything
    /// else, are not even read. `None` where they have no such entitlement.
    ///
    /// # Errors
    /// [`BundleError`]: the first thing that is wrong with the files' names and sizes, or with this data.
    pub fn entitlement_of(
        files: &BTreeMap<String, Vec<u8>>,
        name: &str,
    ) -> Result<Option<Entitlement>, BundleError> {
        source::check_files(files)?;
        data::entitlement(files, name)
    }

    /// The files by path, to pack them into evidence and to build the bundle again.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// SHA-256 of JCS([[path, sha256], …]), sorted by path, without `.manifest`.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// What `bundle.toml` says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The data documents, as `data` of Rego.
    pub fn data(&self) -> &Map<String, Value> {
        &self.data
    }

    /// Everything that may be requested, by name.
    pub fn entitlements(&self) -> &BTreeMap<String, Entitlement> {
        &self.entitlements
    }

    /// One thing that may be requested.
    pub fn entitlement(&self, name: &str) -> Option<&Entitlement> {
        self.entitlements.get(name)
    }

    /// The tiers of risk.
    pub fn tiers(&self) -> Tiers {
        self.tiers
    }

    /// The sets that each root really contributes to.
    pub fn contributions(&self) -> &BTreeSet<Contribution> {
        &self.rules.contributions
    }

    /// Where rules, factors, stages and obligations stand whose names the modules say outright.
    pub fn sources(&self) -> &BTreeSet<Source> {
        &self.rules.sources
    }

    /// Paths of the `test_…` rules, with the file of each.
    pub fn test_rules(&self) -> &BTreeMap<String, String> {
        &self.rules.tests
    }

    /// The Rego modules with their texts, the judging ones and the tests.
    pub fn modules(&self) -> impl Iterator<Item = (&str, &str)> {
        source::modules(&self.files)
    }

    /// The test modules alone.
    pub fn test_modules(&self) -> impl Iterator<Item = (&str, &str)> {
        self.modules().filter(|(path, _)| source::is_test(path))
    }

    /// An engine that holds the judging modules and nothing else.
    pub(crate) fn engine(&self) -> regorus::Engine {
        self.parsed.engine()
    }

    /// The OPA manifest of this bundle, for `opa build` and for servers of OPA bundles.
    pub fn manifest(&self) -> String {
        let roots: BTreeSet<&str> =
            std::iter::once("chancery").chain(self.data.keys().map(String::as_str)).collect();
        let manifest =
            serde_json::json!({"revision": self.digest.to_string(), "roots": roots, "rego_version": 1});
        format!("{manifest:#}\n")
    }
}

fn digest_of(files: &BTreeMap<String, Vec<u8>>) -> Result<Sha256, BundleError> {
    let listed: Vec<(&str, Sha256)> = files
        .iter()
        .filter(|(path, _)| path.as_str() != MANIFEST)
        .map(|(path, bytes)| (path.as_str(), Sha256::of(bytes)))
        .collect();
    let canonical = Canonical::of(&listed)
        .map_err(|cause| BundleError::Data { file: SETTINGS.to_owned(), cause: cause.to_string() })?;
    Ok(Sha256::of(canonical.as_bytes()))
}
