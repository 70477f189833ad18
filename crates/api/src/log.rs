//! How the log stands.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogView {
    /// Name of the log.
    pub origin: String,
    /// Leaves under the newest checkpoint.
    pub size: u64,
    /// Root hash of them, lower-case hexadecimal.
    pub root: String,
    /// The newest signed checkpoint (c2sp.org/tlog-checkpoint).
    pub checkpoint: String,
    /// Time of the newest event, by the server's clock.
    pub newest_at: String,
    /// What waits to be done outside.
    pub effects: EffectsView,
}

/// What waits in the queue of effects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EffectsView {
    /// Due, or failed often.
    pub due: u64,
    /// Those of them that failed so often that somebody should look.
    pub alarmed: u64,
    /// When the oldest that is due was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_due: Option<String>,
}
