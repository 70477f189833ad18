//! The chain of people and keys: every identity event is checked against everyone who was there before it, so
//! that no row of a database can make somebody an approver (trust.md, "Persons and keys are chained").

mod authority;
mod recovery;
mod refusal;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chancery_domain::event::{IdentityEvent, from_parts};
use chancery_domain::id::PersonId;
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::people::{Directory, IDENTITY_ADMIN};
use chancery_domain::time::Timestamp;
use chancery_ledger::{Hash, leaf_hash};

use crate::trust::{GenesisPerson, InForce, Recovery, TrustRoot, Versions};
use crate::webauthn::RelyingParty;

pub use authority::{MAX_IDENTITY_OFFER_SECONDS, subject as subject_of};
pub use refusal::IdentityRefusal;

/// A verified fold of identity leaves, in the order of the log.
///
/// INVARIANT: `directory` holds exactly what the admitted events lead to, each of which was authorised by
/// people and keys admitted before it, or by the genesis.
#[derive(Clone, Debug)]
pub struct Chain {
    log_origin: String,
    relying_party: RelyingParty,
    genesis: Genesis,
    /// What the first version of the root demands, and what each later one does from where it is in force.
    demands: Demands,
    later: Vec<(u64, InForce, Demands)>,
    /// Everyone who ever administrated: what two administrators once needed, one may not do after the other is gone.
    administrators: BTreeSet<PersonId>,
    directory: Directory,
    admitted: Vec<Admitted>,
    heads: BTreeMap<PersonId, Head>,
    /// Every credential id that ever was enrolled.
    keys: BTreeSet<Vec<u8>>,
    nonces: BTreeSet<String>,
    /// When the newest document was offered that took something away from a person.
    taken_away: BTreeMap<PersonId, Timestamp>,
}

/// What a version of the root demands of acts on people.
#[derive(Clone, Debug, Default)]
struct Demands {
    administrators_needed: usize,
    /// Keys against lock-out; an unsealed chain has none.
    recovery: Recovery,
}

impl Demands {
    fn of(root: &TrustRoot) -> Self {
        let needed = usize::try_from(root.document().administrators_needed).unwrap_or(usize::MAX);
        Self { administrators_needed: needed, recovery: root.document().recovery.clone() }
    }
}

/// With whom the chain starts.
#[derive(Clone, Debug)]
enum Genesis {
    /// Exactly the people that a trust root names.
    Sealed(BTreeMap<PersonId, GenesisPerson>),
    /// Whoever enrols: there is nothing yet to hold them against.
    Unsealed,
}

/// The last event of a person's stream.
#[derive(Clone, Copy, Debug)]
struct Head {
    version: u64,
    hash: Hash,
}

/// An event that was found to be authorised, and where it stands.
#[derive(Clone, Debug)]
struct Admitted {
    index: u64,
    at: Timestamp,
    event: IdentityEvent,
}

impl Chain {
    /// An empty chain that starts with the genesis persons of this root, in the present life of its log.
    pub fn from_trust(root: &TrustRoot) -> Self {
        let persons = root.document().genesis.persons.iter();
        let persons: BTreeMap<_, _> = persons.map(|person| (person.id.clone(), person.clone())).collect();
        let administrators = persons.values().filter(|person| person.roles.contains(IDENTITY_ADMIN));
        let administrators = administrators.map(|person| person.id.clone()).collect();
        let (origin, site) = (root.log_origin().to_owned(), root.relying_party().clone());
        Self { administrators, ..Self::start(origin, site, Genesis::Sealed(persons), Demands::of(root)) }
    }

    /// The same, and from where each is in force under the later versions of the life.
    pub fn from_versions(versions: &Versions<'_>) -> Self {
        let mut chain = Self::from_trust(versions.oldest());
        for (root, from) in versions.later() {
            chain.take_up(root, from);
        }
        chain
    }

    /// Demands what a later version of the root does, from where it is in force; said again, from there.
    pub fn take_up(&mut self, root: &TrustRoot, from: InForce) {
        let version = root.document().version;
        self.later.retain(|(known, ..)| *known != version);
        self.later.push((version, from, Demands::of(root)));
        self.later.sort_by_key(|(version, ..)| *version);
        root.relying_party().clone_into(&mut self.relying_party);
    }

    /// The log says at this leaf, of this time, that a version was sealed which was taken up by its time.
    pub fn sealed_at(&mut self, version: u64, leaf_index: u64, at: Timestamp) {
        for (_, from, _) in self.later.iter_mut().filter(|(known, ..)| *known == version) {
            from.sealed_at(leaf_index, at);
        }
    }

    /// UNSEALED: a chain that believes every event of authority `genesis`, for the server alone, between `init`
    /// and `trust seal`. Nothing that it admits is proved to anybody: verifiers and issuers use
    /// [`Chain::from_trust`]. Where administrators must sign it wants two already, so that whatever it admits
    /// stays admissible whoever seals.
    pub fn unsealed(log_origin: impl Into<String>, relying_party: RelyingParty) -> Self {
        let demands = Demands { administrators_needed: 2, recovery: Recovery::default() };
        Self::start(log_origin.into(), relying_party, Genesis::Unsealed, demands)
    }

    fn start(log_origin: String, relying_party: RelyingParty, genesis: Genesis, demands: Demands) -> Self {
        Self {
            log_origin,
            relying_party,
            genesis,
            demands,
            later: Vec::new(),
            administrators: BTreeSet::new(),
            directory: Directory::default(),
            admitted: Vec::new(),
            heads: BTreeMap::new(),
            keys: BTreeSet::new(),
            nonces: BTreeSet::new(),
            taken_away: BTreeMap::new(),
        }
    }

    /// Takes in the next identity leaf. Leaves of other streams are not for this function.
    ///
    /// # Errors
    /// [`IdentityRefusal`]; the chain is then unchanged.
    pub fn admit(&mut self, leaf_index: u64, leaf: &EventLeaf) -> Result<(), IdentityRefusal> {
        let person = self.check_position(leaf_index, leaf)?;
        let event: IdentityEvent =
            from_parts(&leaf.kind, &leaf.body).map_err(|error| IdentityRefusal::Event(error.to_string()))?;
        if *authority::subject(&event) != person {
            return Err(IdentityRefusal::OtherStream(person));
        }
        if let Some(passkey) = event.passkey() {
            // INVARIANT: a key that was removed stays removed, whoever says otherwise; it may be in wrong hands.
            if self.keys.contains(passkey.credential_id.as_bytes()) {
                return Err(IdentityRefusal::PasskeyUsedBefore);
            }
            crate::signer::enrolled_key(passkey).map_err(IdentityRefusal::Passkey)?;
        }
        let document = authority::check(self, &event, (leaf_index, leaf))?;
        let bytes = leaf.to_bytes()?;
        self.directory.evolve(&event, leaf.time)?;
        if let Some(document) = document {
            if authority::takes_away(&event) {
                let newest = self.taken_away.entry(person.clone()).or_insert(document.issued_at);
                *newest = document.issued_at.max(*newest);
            }
            self.nonces.insert(document.nonce);
        }
        self.heads.insert(person, Head { version: leaf.version, hash: leaf_hash(&bytes) });
        self.remember(leaf_index, leaf.time, event);
        Ok(())
    }

    /// The leaf is an identity stream's next one, and stands after all that were admitted.
    fn check_position(&self, leaf_index: u64, leaf: &EventLeaf) -> Result<PersonId, IdentityRefusal> {
        let Stream::Identity(person) = &leaf.stream else {
            return Err(IdentityRefusal::NotAnIdentity(leaf.stream.clone()));
        };
        if self.admitted.last().is_some_and(|last| leaf_index <= last.index) {
            return Err(IdentityRefusal::OutOfOrder(leaf_index));
        }
        let (version, previous) = match self.heads.get(person) {
            None => (1, None),
            Some(head) => (head.version.saturating_add(1), Some(*head.hash.as_bytes())),
        };
        if leaf.version != version || leaf.previous.map(|hash| *hash.as_bytes()) != previous {
            return Err(IdentityRefusal::BrokenStream { person: person.clone(), expected: version });
        }
        Ok(person.clone())
    }

    fn remember(&mut self, index: u64, at: Timestamp, event: IdentityEvent) {
        let person = authority::subject(&event);
        if let Some(passkey) = event.passkey() {
            self.keys.insert(passkey.credential_id.as_bytes().to_vec());
        }
        if self.directory.person(person).is_some_and(|person| person.roles.contains(IDENTITY_ADMIN)) {
            self.administrators.insert(person.clone());
        }
        self.admitted.push(Admitted { index, at, event });
    }

    /// How many administrators a change of people or roles takes now: as many as the root says, but not more
    /// than there have ever been, so that what a sole administrator did stays valid after a second one joined.
    fn administrators_needed(&self, demands: &Demands) -> usize {
        match self.genesis {
            Genesis::Sealed(_) => demands.administrators_needed.min(self.administrators.len().max(1)),
            Genesis::Unsealed => demands.administrators_needed,
        }
    }

    /// What counts for an event of this time at this index.
    fn demands(&self, index: u64, at: Timestamp) -> &Demands {
        let newest = self.later.iter().rev().find(|(_, from, _)| from.covers(index, at));
        newest.map_or(&self.demands, |(.., demands)| demands)
    }

    /// Name of the log for which this chain's signatures are.
    pub fn log_origin(&self) -> &str {
        &self.log_origin
    }

    /// The site on which passkeys are used.
    pub fn relying_party(&self) -> &RelyingParty {
        &self.relying_party
    }

    /// Whether a trust root says with whom it starts. An unsealed chain proves nothing.
    pub fn is_sealed(&self) -> bool {
        matches!(self.genesis, Genesis::Sealed(_))
    }

    /// Everyone, after all events admitted so far.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Everyone, just before the leaf at this index. Past positions are folded again from the start.
    pub fn directory_at(&self, leaf_index: u64) -> Cow<'_, Directory> {
        if self.admitted.last().is_none_or(|last| last.index < leaf_index) {
            return Cow::Borrowed(&self.directory);
        }
        let mut directory = Directory::default();
        for Admitted { at, event, .. } in self.admitted.iter().take_while(|one| one.index < leaf_index) {
            // It was taken in once, in the same order, so it is taken in again.
            let _ = directory.evolve(event, *at);
        }
        Cow::Owned(directory)
    }

    /// Indices of the admitted leaves with the person each is about, in the order of the log.
    pub fn positions(&self) -> impl Iterator<Item = (u64, &PersonId)> {
        self.admitted.iter().map(|one| (one.index, authority::subject(&one.event)))
    }
}
