//! What may be asked for.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// `GET /api/v1/entitlements`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntitlementList {
    /// All of the active bundle, by name.
    pub items: Vec<EntitlementView>,
}

/// A named thing that may be requested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntitlementView {
    /// Its name.
    pub name: String,
    /// SHA-256 of JCS of its data, as requests name it.
    pub sha256: String,
    /// Title for people.
    pub title: String,
    /// `access` or `change`.
    pub kind: String,
    /// JSON Schema of the parameters.
    #[schema(value_type = Object)]
    pub form: Value,
    /// Everything that the bundle says of it: clocks, connector, risk tier, who may ask.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// `PUT /api/v1/artifacts/{sha256}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoredArtifact {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// RFC 6838 media type.
    pub media_type: String,
}
