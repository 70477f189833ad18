//! Who exists, what they hold, and whom a selector means. Folded from signed identity events and from
//! nothing else: an attribute that nobody signed never makes somebody eligible.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{IdentityEvent, Passkey, PersonCreated};
use crate::id::PersonId;
use crate::verdict::{Party, Selector};

/// Role of those who may create people and hand out roles.
pub const IDENTITY_ADMIN: &str = "identity_admin";
/// Role of those who may activate policy.
pub const POLICY_OWNER: &str = "policy_owner";
/// Role of those who may read everything.
pub const AUDITOR: &str = "auditor";
/// Attribute that names a person's manager by id.
pub const MANAGER: &str = "manager";

/// One human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// What they may do.
    pub roles: BTreeSet<String>,
    /// What is said of them.
    pub attributes: BTreeMap<String, String>,
    /// Their keys, by credential id.
    pub passkeys: BTreeMap<Vec<u8>, Passkey>,
    /// Out for now.
    pub suspended: bool,
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
}

/// Everyone, as of some position of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    persons: BTreeMap<PersonId, Person>,
}

impl Directory {
    /// Takes in one event that has already been found to be authorised.
    ///
    /// # Errors
    /// [`DirectoryError`] when it contradicts what came before; the directory is then unchanged.
    pub fn evolve(&mut self, event: &IdentityEvent) -> Result<(), DirectoryError> {
        match event {
            IdentityEvent::Created(created) => self.create(created),
            IdentityEvent::PasskeyEnrolled(body) => {
                self.refuse_known_passkey(&body.passkey)?;
                let key = body.passkey.credential_id.as_bytes().to_vec();
                self.known(&body.person)?.passkeys.insert(key, body.passkey.clone());
                Ok(())
            }
            IdentityEvent::PasskeyRemoved(body) => {
                let removed = self.known(&body.person)?.passkeys.remove(body.credential_id.as_bytes());
                removed.map(|_| ()).ok_or_else(|| DirectoryError::PasskeyUnknown(body.person.clone()))
            }
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
        }
    }

    /// A person, suspended or not.
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.persons.get(id)
    }

    /// Everyone, by id.
    pub fn persons(&self) -> impl Iterator<Item = &Person> {
        self.persons.values()
    }

    /// Whose passkey this is.
    pub fn owner_of(&self, credential_id: &[u8]) -> Option<&Person> {
        self.persons.values().find(|person| person.passkeys.contains_key(credential_id))
    }

    /// People of whom the selector speaks, who are not suspended.
    pub fn resolve(&self, selector: &Selector, requester: &PersonId) -> BTreeSet<PersonId> {
        let active = self.persons.values().filter(|person| !person.suspended);
        active.filter(|p| self.means(selector, p, requester)).map(|p| p.id.clone()).collect()
    }

    fn means(&self, selector: &Selector, person: &Person, requester: &PersonId) -> bool {
        match selector {
            // INVARIANT: an empty `all` means nobody, so that a selector that lost its parts does not mean everybody.
            Selector::All(parts) => {
                !parts.is_empty() && parts.iter().all(|part| self.means(part, person, requester))
            }
            Selector::Any(parts) => parts.iter().any(|part| self.means(part, person, requester)),
            Selector::Not(part) => !self.means(part, person, requester),
            Selector::Role(role) => person.roles.contains(role),
            // Groups come from directories; until one is connected nobody is in any.
            Selector::Group(_) => false,
            Selector::Attribute(wanted) => {
                !wanted.is_empty()
                    && wanted.iter().all(|(name, value)| person.attributes.get(name) == Some(value))
            }
            Selector::Person(id) => person.id == *id,
            Selector::ManagerOf(Party::Requester) => self
                .persons
                .get(requester)
                .and_then(|asking| asking.attributes.get(MANAGER))
                .is_some_and(|manager| manager == person.id.as_str()),
        }
    }

    fn create(&mut self, created: &PersonCreated) -> Result<(), DirectoryError> {
        if self.persons.contains_key(&created.person) {
            return Err(DirectoryError::Exists(created.person.clone()));
        }
        self.refuse_known_passkey(&created.passkey)?;
        let key = created.passkey.credential_id.as_bytes().to_vec();
        let person = Person {
            id: created.person.clone(),
            roles: created.roles.clone(),
            attributes: created.attributes.clone(),
            passkeys: BTreeMap::from([(key, created.passkey.clone())]),
            suspended: false,
        };
        self.persons.insert(created.person.clone(), person);
        Ok(())
    }

    fn refuse_known_passkey(&self, passkey: &Passkey) -> Result<(), DirectoryError> {
        match self.owner_of(passkey.credential_id.as_bytes()) {
            Some(_) => Err(DirectoryError::PasskeyExists),
            None => Ok(()),
        }
    }

    fn known(&mut self, id: &PersonId) -> Result<&mut Person, DirectoryError> {
        self.persons.get_mut(id).ok_or_else(|| DirectoryError::Unknown(id.clone()))
    }
}
