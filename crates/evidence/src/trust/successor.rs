//! One version after another: version n+1 is signed by the administrators of n and of n+1.

use std::collections::BTreeSet;

use chancery_canonical::Sha256;
use chancery_domain::event::{IdentityEvent, Passkey, PasskeyEnrolled, PersonCreated};
use chancery_domain::id::PersonId;
use chancery_domain::people::{Directory, DirectoryError, IDENTITY_ADMIN};
use chancery_domain::signature::{Authority, PersonSignature};

use super::{GenesisPerson, TrustRoot};
use crate::signer::{SignerRefusal, verify_signer};

/// First line of what is hashed and signed for a `trust.json`.
pub const TRUST_CONTEXT: &str = "chancery trust v1\n";

/// Why a new version is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuccessorRefusal {
    /// Not the next number.
    #[error("version {next} does not follow version {current}: fetch the versions between them")]
    Version {
        /// What is trusted now.
        current: u64,
        /// What was offered.
        next: u64,
    },
    /// Sealed before the version that it follows.
    #[error("the new version was sealed before the present one")]
    Time,
    /// One person's signature counts once.
    #[error("person `{0}` signed twice: one signature for each person")]
    SignedTwice(PersonId),
    /// A signature that is wrong under both versions.
    #[error("the signature of person `{person}` does not stand: {refusal}")]
    Signature {
        /// Who is said to have signed.
        person: PersonId,
        /// Why it does not stand.
        refusal: SignerRefusal,
    },
    /// Too few.
    #[error("{found} administrators of version {version} signed where {needed} are needed")]
    TooFew {
        /// Of which version.
        version: u64,
        /// How many signed.
        found: usize,
        /// How many must.
        needed: u32,
    },
    /// The genesis contradicts itself, which a checked root does not.
    #[error("the genesis persons contradict each other: {0}")]
    Genesis(#[from] DirectoryError),
}

impl SuccessorRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Version { .. } => "trust_version",
            Self::Time => "trust_time",
            Self::SignedTwice(_) => "trust_signed_twice",
            Self::Signature { refusal, .. } => refusal.code(),
            Self::TooFew { .. } => "trust_too_few",
            Self::Genesis(_) => "trust_genesis",
        }
    }
}

/// What an administrator's passkey signs for a `trust.json`: SHA-256(`"chancery trust v1\n"` ‖ its bytes).
pub fn trust_challenge(root: &TrustRoot) -> Sha256 {
    Sha256::of_parts(&[TRUST_CONTEXT.as_bytes(), root.canonical().as_bytes()])
}

/// Checks a new version against the genesis administrators of both, with no log at hand.
///
/// # Errors
/// [`SuccessorRefusal`], the first check that fails.
pub fn accept_successor(
    current: &TrustRoot,
    next: &TrustRoot,
    signatures: &[PersonSignature],
) -> Result<(), SuccessorRefusal> {
    let (current_people, next_people) = (genesis_directory(current)?, genesis_directory(next)?);
    accept_successor_by((current, &current_people), (next, &next_people), signatures)
}

/// Checks a new version against the administrators in the given directories: those of the chain, where there
/// is one, so that a key which was removed since does not count.
///
/// # Errors
/// [`SuccessorRefusal`], the first check that fails.
pub fn accept_successor_by(
    (current, current_people): (&TrustRoot, &Directory),
    (next, next_people): (&TrustRoot, &Directory),
    signatures: &[PersonSignature],
) -> Result<(), SuccessorRefusal> {
    let (now, then) = (current.document(), next.document());
    if now.version.checked_add(1) != Some(then.version) {
        return Err(SuccessorRefusal::Version { current: now.version, next: then.version });
    }
    if then.created_at < now.created_at {
        return Err(SuccessorRefusal::Time);
    }
    let challenge = trust_challenge(next);
    let (mut of_current, mut of_next) = (BTreeSet::new(), BTreeSet::new());
    for PersonSignature { person, assertion } in signatures {
        let administrator = |root: &TrustRoot, people: &Directory| {
            verify_signer(person, assertion, &challenge, root.relying_party(), people, then.created_at)
                .map(|signer| signer.person.roles.contains(IDENTITY_ADMIN))
        };
        let verified = (administrator(current, current_people), administrator(next, next_people));
        if let (Err(refusal), Err(_)) = &verified {
            return Err(SuccessorRefusal::Signature { person: person.clone(), refusal: refusal.clone() });
        }
        let again = of_current.contains(person) || of_next.contains(person);
        if again {
            return Err(SuccessorRefusal::SignedTwice(person.clone()));
        }
        if verified.0 == Ok(true) {
            of_current.insert(person);
        }
        if verified.1 == Ok(true) {
            of_next.insert(person);
        }
    }
    for (document, signers) in [(now, of_current), (then, of_next)] {
        let (found, needed) = (signers.len(), document.administrators_needed);
        if u32::try_from(found).is_ok_and(|count| count < needed) {
            return Err(SuccessorRefusal::TooFew { version: document.version, found, needed });
        }
    }
    Ok(())
}

/// The genesis persons as a directory.
fn genesis_directory(root: &TrustRoot) -> Result<Directory, DirectoryError> {
    let mut directory = Directory::default();
    for person in &root.document().genesis.persons {
        let [first, further @ ..] = person.passkeys.as_slice() else { continue };
        directory.evolve(&created(person, first), root.document().created_at)?;
        for passkey in further {
            let further = IdentityEvent::PasskeyEnrolled(PasskeyEnrolled {
                person: person.id.clone(),
                passkey: passkey.clone(),
                authority: Authority::Genesis,
            });
            directory.evolve(&further, root.document().created_at)?;
        }
    }
    Ok(directory)
}

fn created(person: &GenesisPerson, passkey: &Passkey) -> IdentityEvent {
    IdentityEvent::Created(PersonCreated {
        person: person.id.clone(),
        passkey: passkey.clone(),
        roles: person.roles.clone(),
        attributes: person.attributes.clone(),
        concealed: Vec::new(),
        authority: Authority::Genesis,
    })
}
