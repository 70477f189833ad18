//! Who exists, what they hold, and whom a selector means. Folded from signed identity events and from
//! nothing else: an attribute that nobody signed never makes somebody eligible.

mod recovery;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::event::{IdentityEvent, Passkey, PasskeyRemoved, PersonCreated};
use crate::id::PersonId;
use crate::time::Timestamp;
use crate::verdict::{Party, Selector};

pub use recovery::{KeyProblem, RECOVERY_SECONDS, Recovery};

/// Role of those who may create people and hand out roles.
pub const IDENTITY_ADMIN: &str = "identity_admin";
/// Role of those who may activate policy.
pub const POLICY_OWNER: &str = "policy_owner";
/// Role of those who may read everything.
pub const AUDITOR: &str = "auditor";
/// Attribute that names a person's manager by id.
pub const MANAGER: &str = "manager";
/// Attribute that names a person's time zone (IANA name); without it, or with an unknown one, the organisation's.
pub const TIMEZONE: &str = "timezone";

/// One human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// What they may do.
    pub roles: BTreeSet<String>,
    /// What is said of them.
    pub attributes: BTreeMap<String, String>,
    /// Their keys, by credential id; one that came by a recovery is among them before it counts.
    pub passkeys: BTreeMap<Vec<u8>, Passkey>,
    /// Out for now.
    pub suspended: bool,
    /// How they came by their key, if by a recovery.
    pub recovery: Option<Recovery>,
}

/// Why an identity event does not fit what came before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Created twice.
    #[error("person `{0}` exists already")]
    Exists(PersonId),
    /// Not created.
    #[error("person `{0}` does not exist")]
    Unknown(PersonId),
    /// A credential id belongs to one person, once.
    #[error("that passkey is enrolled already")]
    PasskeyExists,
    /// Nothing to remove.
    #[error("person `{0}` has no such passkey")]
    PasskeyUnknown(PersonId),
    /// One at a time.
    #[error("a recovery of person `{0}` is running: stop it first")]
    RecoveryRunning(PersonId),
    /// Nothing to stop.
    #[error("no recovery of person `{0}` by that passkey is running: remove the passkey instead")]
    NoRecovery(PersonId),
}

/// Everyone, as of some position of the log. A copy is cheap: it shares everything until one of the two changes,
/// and then all persons but those that changed.
///
/// INVARIANT: `owners` holds exactly the credential ids that stand in `persons`, lost ones among them, each with its
/// person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    persons: Arc<BTreeMap<PersonId, Arc<Person>>>,
    owners: Arc<BTreeMap<Vec<u8>, PersonId>>,
}

impl Directory {
    /// Takes in one event that has already been found to be authorised, at the time in its leaf.
    ///
    /// # Errors
    /// [`DirectoryError`] when it contradicts what came before; the directory is then unchanged.
    pub fn evolve(&mut self, event: &IdentityEvent, at: Timestamp) -> Result<(), DirectoryError> {
        match event {
            IdentityEvent::Created(created) => self.create(created, at),
            IdentityEvent::PasskeyEnrolled(body) => {
                self.refuse_known_passkey(&body.passkey)?;
                let key = body.passkey.credential_id.as_bytes().to_vec();
                self.known(&body.person)?.passkeys.insert(key.clone(), body.passkey.clone());
                Arc::make_mut(&mut self.owners).insert(key, body.person.clone());
                Ok(())
            }
            IdentityEvent::PasskeyRemoved(body) => self.remove_passkey(body, at),
            IdentityEvent::RoleGranted(body) => {
                self.known(&body.person)?.roles.insert(body.role.clone());
                Ok(())
            }
            IdentityEvent::RoleRemoved(body) => {
                self.known(&body.person)?.roles.remove(&body.role);
                Ok(())
            }
            IdentityEvent::AttributeAssigned(body) => {
                self.known(&body.person)?.attributes.insert(body.name.clone(), body.value.clone());
                Ok(())
            }
            IdentityEvent::Suspended(body) => {
                self.known(&body.person)?.suspended = true;
                Ok(())
            }
            IdentityEvent::Reinstated(body) => {
                self.known(&body.person)?.suspended = false;
                Ok(())
            }
            IdentityEvent::Recovered(body) => self.recover(body, at),
            IdentityEvent::RecoveryCancelled(body) => self.cancel_recovery(body, at),
        }
    }

    /// A person, suspended or not.
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.persons.get(id).map(Arc::as_ref)
    }

    /// Everyone, by id.
    pub fn persons(&self) -> impl Iterator<Item = &Person> {
        self.persons.values().map(Arc::as_ref)
    }

    /// Whose passkey this is.
    pub fn owner_of(&self, credential_id: &[u8]) -> Option<&Person> {
        self.person(self.owners.get(credential_id)?)
    }

    /// People of whom the selector speaks, who are not suspended.
    pub fn resolve(&self, selector: &Selector, requester: &PersonId) -> BTreeSet<PersonId> {
        let active = self.persons().filter(|person| !person.suspended);
        let meant = active.filter(|person| self.means(selector, person, requester) == Some(true));
        meant.map(|person| person.id.clone()).collect()
    }

    /// Whether a selector means this one active person: whether they are in what [`Self::resolve`] returns.
    pub fn selects(&self, selector: &Selector, id: &PersonId, requester: &PersonId) -> bool {
        let active = self.person(id).filter(|person| !person.suspended);
        active.is_some_and(|person| self.means(selector, person, requester) == Some(true))
    }

    /// Whether the selector means this person; `None` where nobody can say.
    ///
    /// INVARIANT: what is unknown stays unknown under `not`, so that a selector which lost its parts, or speaks
    /// of what is not known here, means nobody in either sense and never everybody.
    fn means(&self, selector: &Selector, person: &Person, requester: &PersonId) -> Option<bool> {
        match selector {
            Selector::All(parts) | Selector::Any(parts) if parts.is_empty() => None,
            Selector::All(parts) => {
                decided(parts.iter().map(|part| self.means(part, person, requester)), false)
            }
            Selector::Any(parts) => {
                decided(parts.iter().map(|part| self.means(part, person, requester)), true)
            }
            Selector::Not(part) => self.means(part, person, requester).map(|means| !means),
            Selector::Role(role) => Some(person.roles.contains(role)),
            // Groups come from directories; until one is connected nobody can say who is in any.
            Selector::Group(_) => None,
            Selector::Attribute(wanted) if wanted.is_empty() => None,
            Selector::Attribute(wanted) => {
                Some(wanted.iter().all(|(name, value)| person.attributes.get(name) == Some(value)))
            }
            Selector::Person(id) => Some(person.id == *id),
            Selector::ManagerOf(Party::Requester) => {
                let manager = self.persons.get(requester)?.attributes.get(MANAGER)?;
                Some(manager == person.id.as_str())
            }
        }
    }

    /// Also one of those that a running recovery could give back: a stolen key must not come back.
    fn remove_passkey(&mut self, body: &PasskeyRemoved, at: Timestamp) -> Result<(), DirectoryError> {
        let key = body.credential_id.as_bytes();
        let person = self.known(&body.person)?;
        let lost = || person.recovery.as_mut().filter(|one| one.is_running(at))?.lost.remove(key);
        let removed = person.passkeys.remove(key).or_else(lost);
        removed.ok_or_else(|| DirectoryError::PasskeyUnknown(body.person.clone()))?;
        Arc::make_mut(&mut self.owners).remove(key);
        Ok(())
    }

    fn create(&mut self, created: &PersonCreated, at: Timestamp) -> Result<(), DirectoryError> {
        if self.persons.contains_key(&created.person) {
            return Err(DirectoryError::Exists(created.person.clone()));
        }
        self.refuse_known_passkey(&created.passkey)?;
        let key = created.passkey.credential_id.as_bytes().to_vec();
        let person = Person {
            id: created.person.clone(),
            roles: created.roles.clone(),
            attributes: created.attributes.clone(),
            passkeys: BTreeMap::from([(key.clone(), created.passkey.clone())]),
            suspended: false,
            recovery: recovery::of_new_person(created, at),
        };
        Arc::make_mut(&mut self.persons).insert(created.person.clone(), Arc::new(person));
        Arc::make_mut(&mut self.owners).insert(key, created.person.clone());
        Ok(())
    }

    fn refuse_known_passkey(&self, passkey: &Passkey) -> Result<(), DirectoryError> {
        match self.owner_of(passkey.credential_id.as_bytes()) {
            Some(_) => Err(DirectoryError::PasskeyExists),
            None => Ok(()),
        }
    }

    fn known(&mut self, id: &PersonId) -> Result<&mut Person, DirectoryError> {
        if !self.persons.contains_key(id) {
            // Said before `make_mut`, which would copy what is shared.
            return Err(DirectoryError::Unknown(id.clone()));
        }
        let person = Arc::make_mut(&mut self.persons).get_mut(id).map(Arc::make_mut);
        person.ok_or_else(|| DirectoryError::Unknown(id.clone()))
    }
}

/// One part that is `decisive` decides; else one that is unknown leaves it unknown.
fn decided(parts: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut answer = Some(!decisive);
    for part in parts {
        match part {
            Some(means) if means == decisive => return Some(decisive),
            Some(_) => {}
            None => answer = None,
        }
    }
    answer
}

#[cfg(test)]
mod tests;
