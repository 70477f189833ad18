//! What happens to an alert: it is raised once, and acknowledged once.

use serde::{Deserialize, Serialize};

use crate::id::{PersonId, RequestId};

/// What happens to one alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", deny_unknown_fields)]
pub enum AlertEvent {
    /// Somebody has to look at something.
    #[serde(rename = "alert.raised")]
    Raised(AlertRaised),
    /// Somebody did.
    #[serde(rename = "alert.acknowledged")]
    Acknowledged(AlertAcknowledged),
}

/// Why an alert is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertReason {
    /// An eligible person signed that the request is suspicious.
    SuspiciousRequest,
    /// Approvers gave wrong digits too often.
    NumberMismatch,
}

/// Body of `alert.raised`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRaised {
    /// Why.
    pub reason: AlertReason,
    /// The request that it is about.
    pub request: RequestId,
    /// Revision of it.
    pub revision: u32,
    /// Who asked.
    pub requester: PersonId,
    /// Whose decision or digits raised it.
    pub person: PersonId,
}

/// Body of `alert.acknowledged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertAcknowledged {
    /// Who looked at it.
    pub person: PersonId,
}
