//! The log, as the reader may see it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// `GET /api/v1/audit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// In the order of the log.
    pub items: Vec<AuditEntry>,
    /// `from` of the next page; absent at the end of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// One event's leaf, with what the reader may see beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Where it stands in the log.
    pub leaf_index: u64,
    /// Where its attestation stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation_index: Option<u64>,
    /// What it belongs to.
    pub stream: String,
    /// Version there.
    pub version: u64,
    /// Kind of the event.
    pub kind: String,
    /// When it was recorded.
    pub time: String,
    /// The event's content, as it stands in the leaf.
    #[schema(value_type = Object)]
    pub body: Map<String, Value>,
    /// Disclosures of concealed values in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disclosures: Vec<String>,
}
