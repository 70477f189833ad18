//! `GET /api/v1/server`, `/healthz`, `/readyz`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a client needs to know before it signs anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerInformation {
    /// Version of the program.
    pub version: String,
    /// Name of the log that every document names.
    pub log_origin: String,
    /// Relying party id of all passkeys.
    pub rp_id: String,
    /// Web origins on which passkeys may be used.
    pub origins: Vec<String>,
    /// Whether trust/ is sealed; until then nothing can be requested.
    pub sealed: bool,
    /// Policy engine.
    pub engine: String,
    /// Digest of the active policy bundle.
    pub policy_sha256: String,
    /// The log's verifier key (c2sp.org/signed-note), to compare with trust/log.vkey.
    pub log_vkey: String,
    /// The certificate authority's public key, as sshd's `TrustedUserCAKeys` takes it.
    pub ssh_ca: String,
    /// The server's clock.
    pub time: String,
}

/// Whether the server can decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
}
