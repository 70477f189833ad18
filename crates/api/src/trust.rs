//! The sealed trust root, to be read. Whoever relies on it gets it from somewhere else than from this server.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/trust`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrustView {
    /// Version of the trust root.
    pub version: u64,
    /// SHA-256 of `trust.json`, to compare with a copy.
    pub sha256: String,
    /// When it is believed no longer.
    pub expires_at: String,
    /// `trust.json`, as it was sealed.
    pub text: String,
}
