//! The public JSON types of `/api/v1`, one module for each noun of its routes (docs/spec/http.md).
//!
//! Plain data: every identifier, time and digest is a text here and is parsed at the server's door. Requests
//! refuse unknown members; answers may gain members, so clients pass over those they do not know.
//!
//! Encodings: ids are ULIDs; times RFC 3339 UTC with whole seconds; digests 64 lower-case hexadecimal digits;
//! binary values base64url without padding; signed documents the canonical text itself, as a string.

pub mod alert;
pub mod audit;
pub mod decision;
pub mod enrolment;
pub mod entitlement;
pub mod event;
pub mod grant;
pub mod identity;
pub mod log;
pub mod login;
pub mod passkey;
pub mod person;
pub mod policy;
pub mod problem;
pub mod recovery;
pub mod request;
pub mod server;
pub mod session;
pub mod trust;
