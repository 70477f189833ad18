//! SSH logins: an authority that signs short-lived OpenSSH user certificates, and the list that takes them back.
//!
//! The way of a certificate: a person's [`SubjectKey`] and what was approved make a [`CertificateRequest`];
//! [`CertificateRequest::prepare`] checks it and fixes the bytes ([`Unsigned`]), whose digest can be logged before
//! anything is signed; [`Unsigned::sign`] makes the certificate. [`Certificate::parse`] reads one back and
//! [`Certificate::verify`] checks it, without any key of ours. [`Krl`] is the revocation list that sshd reads.
//!
//! This module knows nothing of evidence. Whoever calls [`Unsigned::sign`] must already have it.
//!
//! # What an operator must know
//! - A target trusts us by `TrustedUserCAKeys` (the [`AuthorityKey::line`]) and hears of revocations by
//!   `RevokedKeys` (the file that [`Krl::publish`] keeps).
//! - **A missing or unreadable `RevokedKeys` file makes sshd refuse every key**: publish an empty [`Krl`] before the
//!   first target is told of it, and keep the file and its folders readable for sshd.
//! - sshd looks at certificate and list when a session starts, never again. A session outlives both its
//!   certificate and its revocation; ending it needs something on the target.

mod authority;
mod certificate;
mod key;
mod krl;
mod request;
pub mod wire;

pub use authority::{Authority, AuthorityError, authority_files, next_authority_file};
pub use certificate::{Certificate, CertificateError, Unsigned};
pub use key::{Algorithm, AuthorityKey, KeyError, SubjectKey};
pub use krl::{Krl, KrlError, PublishError};
pub use request::{CertificateRequest, Cidr, RequestError};
