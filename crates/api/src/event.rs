//! `GET /api/v1/events`: one CloudEvent (1.0, JSON) for each event of the log, as `data` of a server-sent event
//! whose `id` is the leaf index and whose `event` is `event`. An `event: gap` says that some were skipped.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// CloudEvents 1.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// Leaf index, decimal.
    pub id: String,
    /// `//<log origin>`.
    pub source: String,
    /// `chancery.<kind>`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Stream, such as `request/<id>`.
    pub subject: String,
    /// When it was recorded.
    pub time: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// What happened.
    pub data: EventData,
}

/// Content of a [`CloudEvent`]; what stands in the log is read where it belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventData {
    /// Version in the stream.
    pub version: u64,
    /// State of the request after it, for streams of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// Content of `event: gap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    /// First leaf index that is left out.
    pub from: u64,
    /// First leaf index that follows.
    pub to: u64,
}

/// Content of `event: end`: nothing follows on this connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamEnd {
    /// `stopping` (the server stops), `session_over`, `behind` (the reader was too slow) or `fault`. After `stopping`,
    /// `behind` and `fault` nothing is lost by going on with `Last-Event-ID`.
    pub reason: String,
}
