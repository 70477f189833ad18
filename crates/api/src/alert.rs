//! Alerts: what somebody has to look at.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::person::PersonReference;

/// `GET /api/v1/alerts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertList {
    /// That of the newest request first.
    pub items: Vec<AlertView>,
    /// For the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// An alert, and who looked at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertView {
    /// The alert.
    pub id: String,
    /// Why: `suspicious_request` or `number_mismatch`.
    pub reason: String,
    /// The request that it is about.
    pub request: String,
    /// Revision of it.
    pub revision: u32,
    /// Who asked.
    pub requester: PersonReference,
    /// Whose decision or digits raised it.
    pub raised_by: PersonReference,
    /// When.
    pub raised_at: String,
    /// Whether the requester may ask for nothing and start nothing until it is acknowledged.
    pub freezes: bool,
    /// Who acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<PersonReference>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<String>,
}
