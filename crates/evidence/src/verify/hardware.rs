//! Which authenticators made the passkeys that signed (`passkey-attestation`).

use std::collections::BTreeMap;

use chancery_canonical::{Canonical, Sha256};
use chancery_domain::event::Passkey;
use chancery_domain::time::Timestamp;

use super::decisions::Verified;
use super::streams::Streams;
use crate::authenticator::verify_attestation;
use crate::bundle::{BundleFiles, layout};
use crate::registration::RegistrationResponse;
use crate::trust::{TrustRoot, Versions};

/// Passkeys that were enrolled with a registration beside them: which, where and when.
pub(super) struct Registrations<'a> {
    enrolled: Vec<Enrolled<'a>>,
}

struct Enrolled<'a> {
    index: u64,
    at: Timestamp,
    passkey: &'a Passkey,
    registration: Sha256,
}

impl<'a> Registrations<'a> {
    pub fn of(streams: &'a Streams) -> Self {
        let of = |recorded: &'a super::streams::Recorded<_>| {
            let (_, event): &'a (chancery_domain::id::PersonId, chancery_domain::event::IdentityEvent) =
                &recorded.event;
            let passkey = event.passkey()?;
            let registration = passkey.attestation_sha256?;
            Some(Enrolled { index: recorded.index, at: recorded.at, passkey, registration })
        };
        Self { enrolled: streams.identity.iter().filter_map(of).collect() }
    }

    /// Exactly the registrations that identity events name, each with the bytes of its digest: what else lies there
    /// could be taken for checked.
    pub fn file_problems(&self, files: &BundleFiles) -> Vec<String> {
        let named: BTreeMap<String, &Enrolled<'_>> =
            self.enrolled.iter().map(|one| (layout::registration(&one.registration), one)).collect();
        let loose = files
            .keys()
            .filter(|path| path.starts_with(layout::REGISTRATION_PREFIX) && !named.contains_key(*path))
            .map(|path| format!("`{path}` is the registration of no passkey in this bundle"));
        let wrong = named.iter().filter_map(|(path, one)| match files.get(path) {
            None => {
                Some(format!("leaf {}: the registration of its passkey, `{path}`, is missing", one.index))
            }
            Some(bytes) if Sha256::of(bytes) != one.registration => {
                Some(format!("`{path}` is not the registration that leaf {} names", one.index))
            }
            Some(_) => None,
        });
        loose.chain(wrong).collect()
    }

    /// Of every decision that a hardware key is said to have signed: whether its maker and model are believed. Others
    /// are not counted where hardware is demanded, which `quorum` sees to.
    pub fn signers(
        &self,
        files: &BundleFiles,
        versions: &Versions<'_>,
        verified: &[Verified<'_>],
    ) -> Vec<String> {
        let mut problems = Vec::new();
        for Verified { place, .. } in verified {
            let credential = place.recorded.event.assertion.credential_id.as_bytes();
            let root = versions.at(place.recorded.index, place.recorded.at);
            let signed = |one: &&Enrolled<'_>| one.passkey.credential_id.as_bytes() == credential;
            for one in self.enrolled.iter().filter(signed).filter(|one| one.passkey.is_hardware()) {
                if let Err(problem) = believed(files, root, one) {
                    let index = place.recorded.index;
                    problems.push(format!("leaf {index}: its passkey (leaf {}): {problem}", one.index));
                }
            }
        }
        problems
    }
}

fn believed(files: &BundleFiles, root: &TrustRoot, one: &Enrolled<'_>) -> Result<(), String> {
    let bytes = files.get(&layout::registration(&one.registration)).ok_or("its registration is missing")?;
    let registration: RegistrationResponse =
        Canonical::parse(bytes).and_then(|json| json.decode()).map_err(|error| error.to_string())?;
    let roots = &root.document().attestation_roots;
    let attested = verify_attestation(&registration, roots, one.at).map_err(|error| error.to_string())?;
    if attested.is(one.passkey) { Ok(()) } else { Err("its registration is of another passkey".to_owned()) }
}
