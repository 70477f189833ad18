//! Credentials: announced before they were made, within the grant, and made as announced.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::Sha256;
use chancery_canonical::json::{Map, Value};
use chancery_domain::event::SSH_CERTIFICATE;
use chancery_domain::id::LeaseId;
use chancery_domain::time::Timestamp;
use chancery_policy::Entitlement;
use chancery_policy::entitlement::{CertificateTerms, Connector, Scopes, blocks};
use serde::{Deserialize, Serialize};

use super::lifecycle::Case;
use super::requester::Asking;
use crate::bundle::{BundleFiles, layout};
use crate::ssh_key::SshPublicKey;
use crate::trust::{IssuerKey, Versions};

/// What an SSH certificate says, read by the crate that makes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFacts {
    /// The whole line, as the maker writes it.
    pub line: String,
    /// SHA-256 of the bytes that the authority signed.
    pub to_be_signed_sha256: Sha256,
    /// Decimal.
    pub serial: String,
    /// Names the request.
    pub key_id: String,
    /// Whose login it is: `TYPE BASE64`.
    pub public_key: String,
    /// The accounts.
    pub principals: Vec<String>,
    /// First second at which it is valid.
    pub valid_after: Timestamp,
    /// First second at which it is not valid any more.
    pub valid_before: Timestamp,
    /// Where the client may come from, in CIDR notation; anywhere when empty.
    pub source_addresses: Vec<String>,
    /// Runs in place of what the client asks for.
    pub force_command: Option<String>,
    /// Extensions, such as `permit-pty`; ascending.
    pub extensions: Vec<String>,
    /// Who signed: `ssh-ed25519 BASE64`. The reader has verified the signature under this key.
    pub authority: String,
}

impl CertificateFacts {
    /// What an issuance attestation repeats.
    pub fn public_facts(&self) -> Map<String, Value> {
        let mut facts = match serde_json::to_value(self) {
            Ok(Value::Object(facts)) => facts,
            Ok(_) | Err(_) => Map::new(),
        };
        facts.remove("line");
        facts
    }
}

/// Reads a certificate line and verifies its signature under the authority that it names.
pub type CertificateReader<'a> = dyn Fn(&str) -> Result<CertificateFacts, String> + 'a;

/// What the checks of certificates need.
pub(super) struct Granted<'a> {
    pub case: &'a Case,
    pub asking: &'a Asking,
    /// What a certificate must say, or why none follows.
    pub terms: Result<CertificateTerms, String>,
    pub versions: &'a Versions<'a>,
}

/// What follows from the approved parameters and the request phase's scopes, within those of every verdict.
pub(super) fn certificate_terms(
    entitlement: Option<&Entitlement>,
    asking: &Asking,
    first: &Scopes,
    all: &[Scopes],
) -> Result<CertificateTerms, String> {
    let entitlement = entitlement.ok_or("its entitlement is not known")?;
    let Connector::Ssh(ssh) = entitlement.connector() else {
        return Err("its entitlement gives no SSH certificates".to_owned());
    };
    let terms =
        ssh.certificate_terms(&asking.document.parameters, first).map_err(|error| error.to_string())?;
    for scopes in all {
        terms.check_scopes(scopes).map_err(|error| error.to_string())?;
    }
    Ok(terms)
}

impl Granted<'_> {
    /// Announcements against the grant.
    pub fn announcements(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let Some(activated) = &self.case.activated else {
            return problems;
        };
        if let (Some(intended), Err(problem)) = (self.case.intended.first(), &self.terms) {
            problems.push(format!("leaf {}: {problem}", intended.index));
        }
        let mut serials = BTreeSet::new();
        let mut nonces = BTreeSet::new();
        for intended in &self.case.intended {
            let body = &intended.event;
            let serial = body.serial.parse::<u64>().ok().filter(|serial| *serial != 0);
            let spelled = serial.is_some_and(|serial| serial.to_string() == body.serial);
            for (problem, holds) in [
                ("it is no SSH certificate", body.credential == SSH_CERTIFICATE),
                ("its serial is no decimal number from 1", spelled),
                ("its serial was used before", serials.insert(&body.serial)),
                ("its issuer's nonce was used before", nonces.insert(&body.issuer_nonce)),
                ("it would outlive its grant", body.not_after <= activated.event.ends_at),
                ("it was announced after its grant's end", intended.at < activated.event.ends_at),
            ] {
                if !holds {
                    problems.push(format!("leaf {}: lease `{}`: {problem}", intended.index, body.lease));
                }
            }
        }
        problems
    }

    /// Certificates in the bundle against their announcements and everything that was approved.
    pub fn certificates(
        &self,
        files: &BundleFiles,
        reader: Option<&CertificateReader<'_>>,
    ) -> (BTreeMap<LeaseId, CertificateFacts>, Vec<String>) {
        let mut certificates = BTreeMap::new();
        let mut problems = Vec::new();
        let mut expected = BTreeSet::new();
        for intended in &self.case.intended {
            let lease = &intended.event.lease;
            let path = layout::credential(lease);
            if let Some(bytes) = files.get(&path) {
                match self.certificate(bytes, lease, reader) {
                    Ok((facts, found)) => {
                        problems.extend(found.into_iter().map(|problem| format!("`{path}`: {problem}")));
                        certificates.insert(lease.clone(), facts);
                    }
                    Err(problem) => problems.push(format!("`{path}`: {problem}")),
                }
            }
            expected.insert(path);
        }
        let given = files.keys().filter(|path| path.starts_with(layout::CREDENTIAL_PREFIX));
        for path in given.filter(|path| !expected.contains(*path)) {
            problems.push(format!("`{path}` is of no lease that was announced"));
        }
        (certificates, problems)
    }

    fn certificate(
        &self,
        bytes: &[u8],
        lease: &LeaseId,
        reader: Option<&CertificateReader<'_>>,
    ) -> Result<(CertificateFacts, Vec<String>), String> {
        let reader = reader.ok_or("there is nothing here to read certificates with")?;
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        let facts = reader(text)?;
        let mut problems = self.identity(&facts, text, lease);
        problems.extend(self.contents(&facts));
        Ok((facts, problems))
    }

    /// Which certificate it is: the announced one, for this request and key, by a known authority.
    fn identity(&self, facts: &CertificateFacts, text: &str, lease: &LeaseId) -> Vec<String> {
        let Some(intended) = self.case.intended.iter().find(|intended| intended.event.lease == *lease) else {
            return vec!["it was never announced".to_owned()];
        };
        let announced = &intended.event;
        let start = self.case.activated.as_ref().map(|activated| activated.event.started_at);
        let key = self.asking.document.beneficiary.public_key.as_deref();
        let trust = self.versions.at(intended.index, intended.at);
        let authority_known = trust.document().issuers.iter().any(|issuer| {
            let IssuerKey::Ssh { public_key } = issuer;
            same_key(public_key, &facts.authority)
        });
        failed([
            ("it has more than one spelling", facts.line == text),
            (
                "it is not the certificate that was announced",
                facts.to_be_signed_sha256 == announced.to_be_signed_sha256,
            ),
            ("its serial is another than announced", facts.serial == announced.serial),
            ("its key id is not this request", facts.key_id == self.case.id.as_str()),
            (
                "it is for another key than the request names",
                key.is_some_and(|key| same_key(key, &facts.public_key)),
            ),
            ("it is valid longer than announced", facts.valid_before <= announced.not_after),
            ("it is valid before its grant", start.is_some_and(|start| facts.valid_after >= start)),
            ("your trust directory does not know the authority that signed it", authority_known),
        ])
    }

    /// What it allows is what follows from the request, and no more. Where nothing follows, its announcement fails.
    fn contents(&self, facts: &CertificateFacts) -> Vec<String> {
        let Ok(terms) = &self.terms else { return Vec::new() };
        let sources = blocks(facts.source_addresses.iter().map(String::as_str));
        let same_sources = sources.is_ok_and(|sources| {
            sources == terms.source_addresses && sources.len() == facts.source_addresses.len()
        });
        failed([
            ("its principals are not those approved", facts.principals == [terms.principal.as_str()]),
            ("its forced command is not the one approved", facts.force_command == terms.force_command),
            ("its source addresses are not those approved", same_sources),
            ("its extensions are not those of the entitlement", facts.extensions == terms.permit.names()),
        ])
    }
}

fn failed<const N: usize>(checks: [(&str, bool); N]) -> Vec<String> {
    checks.into_iter().filter(|(_, holds)| !holds).map(|(problem, _)| problem.to_owned()).collect()
}

fn same_key(left: &str, right: &str) -> bool {
    matches!((SshPublicKey::parse(left), SshPublicKey::parse(right)), (Ok(left), Ok(right)) if left == right)
}
