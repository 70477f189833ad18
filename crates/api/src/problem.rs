//! Errors (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of every error.
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:chancery:problem:<code>`.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable name for scripts and documents.
    pub code: String,
    /// What went wrong.
    pub reason: String,
    /// What to do next.
    pub remedy: String,
    /// Names this answer in the server's log.
    pub request_id: String,
    /// Each part of the body that is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemDetail>,
}

/// One thing that is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetail {
    /// JSON pointer (RFC 6901) into the body; empty for the body itself.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}
