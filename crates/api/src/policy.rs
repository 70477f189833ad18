//! The active policy bundle, to be read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/policy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// Digest of the bundle: SHA-256 of JCS([[path, sha256], …]), as verdicts name it.
    pub policy_sha256: String,
    /// Engine that evaluates it.
    pub engine: String,
    /// Its files, by path.
    pub files: Vec<PolicyFile>,
    /// Where each rule, factor, stage and obligation stands whose name the sources say outright.
    pub sources: Vec<PolicySource>,
}

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyFile {
    /// Its path in the bundle; `GET /api/v1/policy/files/{path}` has the text.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// Where something that a verdict names comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct PolicySource {
    /// What it is: `rule`, `factor`, `stage` or `obligation`.
    pub part: String,
    /// Its name in the verdict.
    pub name: String,
    /// Path of the file.
    pub file: String,
    /// Line in it, 1 for the first.
    pub line: u32,
}
