//! A new SSH authority beside the old one, and the old one's end. Both are proposals for the trust root: the key is made
//! here, and signs nothing before enough administrators signed a root that names it.

use std::path::Path;

use chancery_evidence::trust::{IssuerKey, TrustRoot};
use chancery_issuer::issue::read_certificate;
use chancery_issuer::ssh::{Authority, AuthorityKey, authority_files, next_authority_file};
use ring::rand::SystemRandom;
use serde_json::{Value, json};

use crate::app::start::open_issuer;
use crate::clock::Clock;
use crate::config::Config;
use crate::successor::{Change, ProposeError, ProposeOptions, Proposed, propose};
use crate::trust;

/// A rotation that waits for signatures.
#[derive(Clone, Debug)]
pub struct RotatedAuthority {
    /// Lines for `TrustedUserCAKeys`, oldest first: hosts need all of them before anybody signs.
    pub lines: Vec<String>,
    /// The root that names them.
    pub proposed: Proposed,
}

/// Makes a new authority's key and proposes a root in which it signs and those before it still stand. A key that was
/// made before and never came to sign is used; none is ever overwritten.
///
/// # Errors
/// [`ProposeError`]; the key may be there then, and is used the next time.
pub async fn rotate_ca(data: &Path, options: ProposeOptions) -> Result<RotatedAuthority, ProposeError> {
    let other = |error: &dyn std::fmt::Display| ProposeError::Other(error.to_string());
    let config = Config::read_from(data)?;
    let root = trust::read(&config.trust())?.ok_or(ProposeError::NotSealed)?.root().clone();
    let place = config.ssh_ca_key();
    let newest = authority_files(&place).map_err(|error| other(&error))?.pop();
    let newest = newest.map(|path| Authority::open(&path)).transpose().map_err(|error| other(&error))?;
    let unused = newest.filter(|authority| !named(&root).contains(authority.key()));
    let authority = match unused {
        Some(unused) => unused,
        None => {
            let path = next_authority_file(&place).map_err(|error| other(&error))?;
            Authority::create(&path, &SystemRandom::new()).map_err(|error| other(&error))?
        }
    };
    // A crash here leaves a key that nothing names.
    let line = authority.key().line("");
    let added =
        Change { pointer: "/issuers/-".to_owned(), value: Some(json!({"kind": "ssh", "public_key": line})) };
    let proposed = propose(data, ProposeOptions { changes: vec![added], ..options }).await?;
    let lines = named(&proposed.root).iter().map(|key| key.line("chancery")).collect();
    Ok(RotatedAuthority { lines, proposed })
}

/// Proposes a root that names the newest authority alone. With its seal every certificate of those before it is on the
/// revocation list. Refused while one of them is still valid, unless `now`: an authority in wrong hands has to go at once.
///
/// # Errors
/// [`ProposeError`].
pub async fn retire_ca(data: &Path, now: bool, options: ProposeOptions) -> Result<Proposed, ProposeError> {
    let other = |error: &dyn std::fmt::Display| ProposeError::Other(error.to_string());
    let config = Config::read_from(data)?;
    let root = trust::read(&config.trust())?.ok_or(ProposeError::NotSealed)?.root().clone();
    let clock = match options.clock.clone() {
        Some(clock) => clock,
        None => Clock::system().map_err(|error| other(&error))?,
    };
    let Some((newest, earlier @ [_, ..])) = root.document().issuers.split_last() else {
        return Err(ProposeError::Other("there is one SSH authority: nothing can be retired".to_owned()));
    };
    let earlier: Vec<&str> =
        earlier.iter().map(|IssuerKey::Ssh { public_key }| public_key.as_str()).collect();
    let issuer = open_issuer(&config, &clock).map_err(|error| other(&error))?;
    let mut last = None;
    for (_, line) in issuer.all_minted().map_err(|error| other(&error))? {
        let certificate = read_certificate(&line).map_err(|error| other(&error))?;
        if earlier.contains(&certificate.authority.as_str()) {
            last = last.max(Some(certificate.valid_before));
        }
    }
    if let Some(last) = last.filter(|last| *last > clock.now() && !now) {
        return Err(ProposeError::Other(format!(
            "a certificate of an authority that would be retired is valid until {last}: wait, or take it back with all \
             others (`--now`)"
        )));
    }
    let remaining: Value = serde_json::to_value([newest]).map_err(|error| other(&error))?;
    let changes = vec![Change { pointer: "/issuers".to_owned(), value: Some(remaining) }];
    propose(data, ProposeOptions { changes, ..options }).await
}

fn named(root: &TrustRoot) -> Vec<AuthorityKey> {
    let issuers = root.document().issuers.iter();
    issuers.filter_map(|IssuerKey::Ssh { public_key }| AuthorityKey::parse(public_key).ok()).collect()
}
