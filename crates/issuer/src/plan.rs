//! What a certificate says, as it follows from what was approved and from nothing else.

use chancery_domain::document::RequestDocument;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Constraints;
use chancery_policy::entitlement::{Connector, Entitlement, SshConnector};

use crate::ssh::{CertificateRequest, Cidr, SubjectKey};

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
    /// A value that the certificate needs was not asked for.
    #[error("the request does not say which `{0}`")]
    Missing(&'static str),
    /// Policy narrowed it, and this is outside.
    #[error("`{value}` is outside the scope `{scope}` that policy set")]
    OutOfScope {
        /// Name of the scope.
        scope: &'static str,
        /// What was asked for.
        value: String,
    },
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
    let principal = principal(connector, grant)?;
    let validity = unix(grant.started_at)?..unix(grant.ends_at)?;
    let key_id = grant.document.id.as_str();
    let mut request =
        CertificateRequest::new(subject, mark.serial, key_id, &[&principal], validity, mark.nonce);
    request.source_addresses = source_addresses(connector, grant)?;
    request.force_command = connector
        .force_command
        .as_ref()
        .and_then(|binding| binding.resolve(&grant.document.parameters))
        .map(str::to_owned);
    request.permit_pty = connector.permit.pty;
    request.permit_port_forwarding = connector.permit.port_forwarding;
    request.permit_agent_forwarding = connector.permit.agent_forwarding;
    Ok(request)
}

fn principal(connector: &SshConnector, grant: &GrantFacts<'_>) -> Result<String, PlanError> {
    let parameters = &grant.document.parameters;
    for (scope, binding) in [("principal", &connector.principal), ("host", &connector.host)] {
        in_scope(grant, scope, binding.resolve(parameters).ok_or(PlanError::Missing(scope))?)?;
    }
    let both = connector.certificate_principal(parameters);
    both.ok_or_else(|| PlanError::Value("neither login name nor host may contain `@`".into()))
}

fn source_addresses(connector: &SshConnector, grant: &GrantFacts<'_>) -> Result<Vec<Cidr>, PlanError> {
    let asked = connector.source_address.as_ref().and_then(|b| b.resolve(&grant.document.parameters));
    let scope = grant.constraints.scopes.get("source_address");
    let blocks: Vec<&str> = match (asked, scope) {
        (Some(asked), _) => {
            let blocks: Vec<&str> = asked.split(',').collect();
            for block in &blocks {
                in_scope(grant, "source_address", block)?;
            }
            blocks
        }
        (None, Some(scope)) => scope.iter().map(String::as_str).collect(),
        (None, None) => return Ok(Vec::new()),
    };
    if blocks.is_empty() {
        return Err(PlanError::OutOfScope { scope: "source_address", value: "anywhere".into() });
    }
    let parse =
        |block: &str| block.parse().map_err(|_| PlanError::Value(format!("`{block}` is no address block")));
    blocks.into_iter().map(parse).collect()
}

fn in_scope(grant: &GrantFacts<'_>, scope: &'static str, value: &str) -> Result<(), PlanError> {
    match grant.constraints.scopes.get(scope) {
        Some(allowed) if !allowed.contains(value) => {
            Err(PlanError::OutOfScope { scope, value: value.to_owned() })
        }
        Some(_) | None => Ok(()),
    }
}

fn unix(moment: Timestamp) -> Result<u64, PlanError> {
    u64::try_from(moment.unix()).map_err(|_| PlanError::Value(format!("{moment} is before 1970")))
}
