//! Lost keys: a new one takes the place of all that a person had, and counts only after a day in which everybody who
//! was told may stop it.

use std::collections::BTreeMap;

use chancery_canonical::{Bytes, Sha256};

use super::{Directory, DirectoryError, Person};
use crate::event::{Passkey, PersonCreated, PersonRecovered, RecoveryCancelled};
use crate::signature::{Authority, MAX_CREDENTIAL_ID};
use crate::time::Timestamp;

/// How long after its event a key that came by a recovery counts for nothing: a day.
pub const RECOVERY_SECONDS: u64 = 24 * 3600;

/// How a person came by the key that they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The key that was made.
    pub credential_id: Bytes<MAX_CREDENTIAL_ID>,
    /// From this moment of the log on it counts.
    pub counts_from: Timestamp,
    /// The keys whose place it takes. Until it counts they can stop the recovery, and nothing else.
    pub lost: BTreeMap<Vec<u8>, Passkey>,
}

impl Recovery {
    /// Whether it can still be stopped, since its key does not count yet.
    pub fn is_running(&self, at: Timestamp) -> bool {
        at < self.counts_from
    }
}

/// Why a key counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyProblem {
    /// Not one of the person's.
    NotTheirs,
    /// One of those that a recovery took the place of.
    Lost,
    /// It came by a recovery, and counts from this moment on.
    Waits(Timestamp),
}

impl Person {
    /// The recovery that can still be stopped.
    pub fn running_recovery(&self, at: Timestamp) -> Option<&Recovery> {
        self.recovery.as_ref().filter(|recovery| recovery.is_running(at))
    }

    /// The key of this id, if it counts at this moment.
    ///
    /// # Errors
    /// [`KeyProblem`].
    pub fn counting_key(&self, credential_id: &[u8], at: Timestamp) -> Result<&Passkey, KeyProblem> {
        let running = self.running_recovery(at);
        if let Some(recovery) = running.filter(|one| one.credential_id.as_bytes() == credential_id) {
            return Err(KeyProblem::Waits(recovery.counts_from));
        }
        let lost = self.recovery.as_ref().is_some_and(|recovery| recovery.lost.contains_key(credential_id));
        let problem = if lost { KeyProblem::Lost } else { KeyProblem::NotTheirs };
        self.passkeys.get(credential_id).ok_or(problem)
    }

    /// The key of this id, if it says who is here: one of the person's, counting or not, or one that can stop the
    /// recovery that runs.
    pub fn present_key(&self, credential_id: &[u8], at: Timestamp) -> Option<&Passkey> {
        let lost = || self.running_recovery(at)?.lost.get(credential_id);
        self.passkeys.get(credential_id).or_else(lost)
    }

    /// From when on the key of this digest counts, while it does not.
    pub fn waits_until(&self, credential_id_sha256: &Sha256, at: Timestamp) -> Option<Timestamp> {
        let recovery = self.running_recovery(at)?;
        let made = Sha256::of(recovery.credential_id.as_bytes()) == *credential_id_sha256;
        made.then_some(recovery.counts_from)
    }
}

/// The first key of somebody whom recovery keys let in waits as a recovered one does.
pub(super) fn of_new_person(created: &PersonCreated, at: Timestamp) -> Option<Recovery> {
    match created.authority {
        Authority::RecoveryKeys { .. } => Some(Recovery {
            credential_id: created.passkey.credential_id.clone(),
            counts_from: at.plus(RECOVERY_SECONDS),
            lost: BTreeMap::new(),
        }),
        Authority::Genesis | Authority::People { .. } => None,
    }
}

impl Directory {
    pub(super) fn recover(&mut self, body: &PersonRecovered, at: Timestamp) -> Result<(), DirectoryError> {
        self.refuse_known_passkey(&body.passkey)?;
        let key = body.passkey.credential_id.as_bytes().to_vec();
        let person = self.known(&body.person)?;
        // INVARIANT: one at a time. Else the key of the first would be among the lost of the second, and by stopping
        // that one would count without having waited.
        if person.running_recovery(at).is_some() {
            return Err(DirectoryError::RecoveryRunning(body.person.clone()));
        }
        let made = BTreeMap::from([(key.clone(), body.passkey.clone())]);
        let lost = std::mem::replace(&mut person.passkeys, made);
        let recovery = Recovery {
            credential_id: body.passkey.credential_id.clone(),
            counts_from: at.plus(RECOVERY_SECONDS),
            lost,
        };
        let before = person.recovery.replace(recovery);
        let owners = std::sync::Arc::make_mut(&mut self.owners);
        for forgotten in before.iter().flat_map(|recovery| recovery.lost.keys()) {
            owners.remove(forgotten);
        }
        owners.insert(key, body.person.clone());
        Ok(())
    }

    pub(super) fn cancel_recovery(
        &mut self,
        body: &RecoveryCancelled,
        at: Timestamp,
    ) -> Result<(), DirectoryError> {
        let person = self.known(&body.person)?;
        let running = person.recovery.take_if(|recovery| {
            recovery.is_running(at) && recovery.credential_id.as_bytes() == body.credential_id.as_bytes()
        });
        let Some(recovery) = running else {
            return Err(DirectoryError::NoRecovery(body.person.clone()));
        };
        person.passkeys.remove(recovery.credential_id.as_bytes());
        person.passkeys.extend(recovery.lost);
        std::sync::Arc::make_mut(&mut self.owners).remove(recovery.credential_id.as_bytes());
        Ok(())
    }
}
