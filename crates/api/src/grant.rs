//! Grants and the credentials under them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::person::PersonReference;

/// `GET /api/v1/grants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantList {
    /// Newest first.
    pub items: Vec<GrantView>,
    /// For the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The time-bound result of an approved request; its id is the request's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantView {
    /// The request's id.
    pub id: String,
    /// Version of its stream; the `ETag` is `"<version>"`.
    pub version: u64,
    /// `approved`, `active`, or how it ended.
    pub state: String,
    /// What was granted.
    pub entitlement: String,
    /// Who asked.
    pub requester: PersonReference,
    /// To whom.
    pub beneficiary: PersonReference,
    /// When it lapses unused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_by: Option<String>,
    /// When its clock started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// Credentials under it.
    pub leases: Vec<LeaseView>,
    /// Sessions that may still be open although the grant has ended, since nothing here can end them.
    pub sessions_may_stay_open: Vec<OpenSessions>,
}

/// Sessions that were opened with a credential while it was good. A host checks a certificate when somebody logs
/// in, and never again: OpenSSH ends no session because of a revocation or of the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenSessions {
    /// The lease.
    pub lease: String,
    /// Serial of the credential, decimal.
    pub serial: String,
    /// How the host's log names a login with it, so that somebody there can find the session and end it.
    pub named_in_log: String,
}

/// One credential instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseView {
    /// The lease.
    pub lease: String,
    /// `intended`, `issued` or `revoked`.
    pub status: String,
    /// Serial of the credential, decimal.
    pub serial: String,
    /// Its own end.
    pub not_after: String,
}

/// `POST /api/v1/grants/{id}/credentials`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Credential {
    /// The lease.
    pub lease: String,
    /// `ssh_certificate`.
    pub kind: String,
    /// Line of a `-cert.pub` file.
    pub certificate: String,
    /// Serial, decimal.
    pub serial: String,
    /// Nothing of it is valid from here on.
    pub not_after: String,
    /// The authority's public key, as sshd's `TrustedUserCAKeys` takes it.
    pub ca: String,
}
