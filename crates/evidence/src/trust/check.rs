//! Whether a trust document is in order, before anything is believed because of it.

use std::collections::BTreeSet;

use chancery_domain::people::IDENTITY_ADMIN;
use chancery_ledger::{KeyType, VerifierKey, WitnessPolicy};

use super::{GenesisPerson, IssuerKey, Recovery, TrustDocument, TrustError};
use crate::attest::Predicate;
use crate::authenticator::Aaguid;
use crate::cose::CosePublicKey;
use crate::ssh_key::SshPublicKey;

fn refused<T>(field: &'static str, problem: impl Into<String>) -> Result<T, TrustError> {
    Err(TrustError::Field { field, problem: problem.into() })
}

/// Everything except logs and site.
pub fn check(document: &TrustDocument) -> Result<(), TrustError> {
    if document.version == 0 {
        return refused("version", "starts at 1");
    }
    if document.created_at >= document.expires_at {
        return refused("expires_at", "is not after `created_at`");
    }
    unsupported(document)?;
    predecessor(document)?;
    genesis(document)?;
    administrators(document)?;
    recovery(document)?;
    if document.policy.owners_needed == 0 {
        return refused("policy", "needs at least one owner");
    }
    if document.engines.is_empty() {
        return refused("engines", "is empty: no verdict could be believed");
    }
    for (name, floor) in &document.floors {
        if floor.maximum_seconds == 0 || (floor.minimum_approvers == 0 && !floor.allow) {
            return refused("floors", format!("has none for `{name}` that means something"));
        }
    }
    attestation_keys(document)?;
    attestation_roots(document)?;
    for IssuerKey::Ssh { public_key } in &document.issuers {
        SshPublicKey::parse(public_key)?;
    }
    Ok(())
}

/// INVARIANT: what this version does not understand is refused, since ignoring it would believe too much.
fn unsupported(document: &TrustDocument) -> Result<(), TrustError> {
    if !document.directories.is_empty() {
        return refused("directories", "is not supported by this version: leave it empty");
    }
    Ok(())
}

/// Version 1 follows nothing; every later one names what it follows, and who may sign the next.
fn predecessor(document: &TrustDocument) -> Result<(), TrustError> {
    let first = document.version == 1;
    if first == document.previous_sha256.is_some() {
        return refused("previous_sha256", "is the digest of the version before, and absent in version 1");
    }
    if first != document.administrators.is_empty() {
        return refused("administrators", "are listed from version 2 on, and in no version 1");
    }
    let (mut ids, mut credentials) = (BTreeSet::new(), BTreeSet::new());
    for administrator in &document.administrators {
        if !ids.insert(&administrator.id) || administrator.passkeys.is_empty() {
            return refused("administrators", "names a person twice, or without a passkey");
        }
        for passkey in &administrator.passkeys {
            CosePublicKey::parse(passkey.public_key.as_bytes())?;
            if !credentials.insert(passkey.credential_id.as_bytes()) {
                return refused("administrators", "names a passkey twice");
            }
        }
    }
    let enough = u32::try_from(ids.len()).is_ok_and(|count| count >= document.administrators_needed);
    if !first && !enough {
        return refused("administrators", "are fewer than `administrators_needed`");
    }
    Ok(())
}

fn genesis(document: &TrustDocument) -> Result<(), TrustError> {
    let (mut ids, mut credentials) = (BTreeSet::new(), BTreeSet::new());
    for person in &document.genesis.persons {
        if !ids.insert(&person.id) {
            return refused("genesis", format!("names person `{}` twice", person.id));
        }
        if person.passkeys.is_empty() {
            return refused("genesis", format!("names no passkey of person `{}`", person.id));
        }
        for passkey in &person.passkeys {
            CosePublicKey::parse(passkey.public_key.as_bytes())?;
            if !credentials.insert(passkey.credential_id.as_bytes()) {
                return refused("genesis", "names a passkey twice");
            }
        }
    }
    Ok(())
}

fn administrators(document: &TrustDocument) -> Result<(), TrustError> {
    let administrates = |person: &&GenesisPerson| person.roles.contains(IDENTITY_ADMIN);
    if !document.genesis.persons.iter().any(|person| administrates(&person)) {
        return refused("genesis", format!("names nobody with the role `{IDENTITY_ADMIN}`"));
    }
    if document.sealed_with == 0 || document.administrators_needed != document.sealed_with.min(2) {
        return refused("administrators_needed", "is two, or one where `sealed_with` is one");
    }
    let administrators = document.genesis.persons.iter().filter(administrates).count();
    let enough = u32::try_from(administrators).is_ok_and(|count| count >= document.administrators_needed);
    // A later version may have gained its second administrator through the log.
    if !enough && document.version == 1 {
        return refused("genesis", "names fewer administrators than `administrators_needed`");
    }
    Ok(())
}

/// The most recovery keys: all their signatures stand in one leaf.
const MAX_RECOVERY_KEYS: usize = 8;

/// INVARIANT: it never takes fewer recovery keys than administrators, so that no holder of one is worth two people.
fn recovery(document: &TrustDocument) -> Result<(), TrustError> {
    let Recovery { threshold, keys } = &document.recovery;
    let (count, distinct) = (keys.len(), keys.iter().collect::<BTreeSet<_>>().len());
    if distinct != count {
        return refused("recovery", "names a key twice");
    }
    if count > MAX_RECOVERY_KEYS {
        return refused("recovery", format!("names more than {MAX_RECOVERY_KEYS} keys"));
    }
    let reachable = usize::try_from(*threshold).is_ok_and(|threshold| threshold <= count);
    let enough = *threshold >= document.administrators_needed || count == 0;
    if !reachable || !enough {
        let least = document.administrators_needed;
        return refused("recovery", format!("needs a threshold from {least} to the number of its keys"));
    }
    Ok(())
}

fn attestation_keys(document: &TrustDocument) -> Result<(), TrustError> {
    for (name, keys) in &document.attestation_keys {
        if Predicate::of_name(name).is_none() {
            return refused("attestation_keys", format!("names `{name}`, which is no predicate"));
        }
        let distinct: BTreeSet<_> = keys.iter().collect();
        if keys.is_empty() || distinct.len() != keys.len() {
            return refused("attestation_keys", format!("has no key or one key twice for `{name}`"));
        }
    }
    Ok(())
}

fn attestation_roots(document: &TrustDocument) -> Result<(), TrustError> {
    for root in &document.attestation_roots {
        if root.aaguids.is_empty() {
            return refused(
                "attestation_roots",
                "has a certificate without models: list the AAGUIDs it is for",
            );
        }
        if root.aaguids.iter().any(Aaguid::is_anonymous) {
            return refused("attestation_roots", "lists the AAGUID of zeros, which names no model");
        }
    }
    Ok(())
}

/// Each life begins where the one before was closed, and the last is open.
fn lives(document: &TrustDocument) -> Result<(), TrustError> {
    let Some((present, earlier)) = document.logs.split_last() else { return refused("logs", "is empty") };
    let mut first_index: u64 = 0;
    for (number, log) in document.logs.iter().enumerate() {
        let expected = (number > 0).then_some(first_index);
        if log.first_index != expected {
            return refused(
                "logs",
                format!("does not begin `{}` where the life before it ended", log.origin),
            );
        }
        first_index = first_index.saturating_add(log.closed.as_ref().map_or(0, |closed| closed.size));
    }
    if present.closed.is_some() || earlier.iter().any(|log| log.closed.is_none()) {
        return refused("logs", "closes its last, or leaves an earlier one open");
    }
    Ok(())
}

/// The keys of the logs, and the policy, which has to name exactly these.
pub fn logs(document: &TrustDocument) -> Result<(Vec<VerifierKey>, WitnessPolicy), TrustError> {
    let mut keys: Vec<VerifierKey> = Vec::new();
    for log in &document.logs {
        let Ok(key) = log.vkey.parse::<VerifierKey>() else {
            return refused("logs", format!("has no verifier key for `{}`", log.origin));
        };
        if key.key_type() != KeyType::Ed25519 || key.name().as_str() != log.origin.as_str() {
            return refused("logs", format!("has a key of another kind or name for `{}`", log.origin));
        }
        if key.to_string() != log.vkey || keys.iter().any(|known| known.name() == key.name()) {
            return refused("logs", format!("has `{}` twice, or in another spelling", log.origin));
        }
        keys.push(key);
    }
    lives(document)?;
    let policy = match document.witness_policy.parse::<WitnessPolicy>() {
        Ok(policy) => policy,
        Err(error) => return refused("witness_policy", error.to_string()),
    };
    if policy.to_string() != document.witness_policy {
        return refused("witness_policy", "is not in its plain form, without comments and additional spaces");
    }
    if !policy.logs().iter().map(|log| &log.key).eq(&keys) {
        return refused("witness_policy", "names other logs than `logs`");
    }
    Ok((keys, policy))
}
