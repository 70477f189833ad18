//! What a certificate says, as it follows from what was approved and from nothing else.

use chancery_domain::document::RequestDocument;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Constraints;
use chancery_policy::entitlement::{CertificateRefusal, Connector, Entitlement};

use crate::ssh::{CertificateRequest, SubjectKey};

/// The parts of a grant that a certificate is made from.
#[derive(Clone, Copy, Debug)]
pub struct GrantFacts<'a> {
    /// The approved document.
    pub document: &'a RequestDocument,
    /// Its entitlement, from the bundle that judged it.
    pub entitlement: &'a Entitlement,
    /// The verdict's clocks and scopes.
    pub constraints: &'a Constraints,
    /// When the grant started.
    pub started_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// What distinguishes one certificate under a grant from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its number on revocation lists.
    pub serial: u64,
    /// Random bytes that begin it.
    pub nonce: [u8; 32],
}

/// Why no certificate follows from a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Another kind of credential.
    #[error("entitlement `{0}` does not issue SSH certificates")]
    NotSsh(String),
    /// Nothing to certify.
    #[error("the request names no public key: ask again with `--key`")]
    NoKey,
    /// Its contents do not follow from the request and its scopes.
    #[error(transparent)]
    Contents(#[from] CertificateRefusal),
    /// A value that no certificate can hold.
    #[error("{0}")]
    Value(String),
}

/// The certificate that follows from a grant.
///
/// # Errors
/// [`PlanError`] when the grant is for something else, or incomplete.
pub fn certificate(grant: &GrantFacts<'_>, mark: Mark) -> Result<CertificateRequest, PlanError> {
    let Connector::Ssh(connector) = grant.entitlement.connector() else {
        return Err(PlanError::NotSsh(grant.entitlement.name().to_owned()));
    };
    let key = grant.document.beneficiary.public_key.as_deref().ok_or(PlanError::NoKey)?;
    let subject = SubjectKey::parse(key).map_err(|error| PlanError::Value(error.to_string()))?;
    let terms = connector.certificate_terms(&grant.document.parameters, &grant.constraints.scopes)?;
    let validity = unix(grant.started_at)?..unix(grant.ends_at)?;
    let key_id = grant.document.id.as_str();
    let principals = [terms.principal.as_str()];
    let mut request =
        CertificateRequest::new(subject, mark.serial, key_id, &principals, validity, mark.nonce);
    let parse = |block: &String| {
        block.parse().map_err(|_| PlanError::Value(format!("`{block}` is no address block")))
    };
    request.source_addresses = terms.source_addresses.iter().map(parse).collect::<Result<_, _>>()?;
    request.force_command = terms.force_command;
    request.permit_pty = terms.permit.pty;
    request.permit_port_forwarding = terms.permit.port_forwarding;
    request.permit_agent_forwarding = terms.permit.agent_forwarding;
    Ok(request)
}

fn unix(moment: Timestamp) -> Result<u64, PlanError> {
    u64::try_from(moment.unix()).map_err(|_| PlanError::Value(format!("{moment} is before 1970")))
}
