//! One version after another: version n+1 names the digest of n, and is signed by the administrators of n and of n+1
//! (docs/spec/trust.md).

use std::collections::BTreeSet;

use chancery_canonical::Sha256;
use chancery_domain::event::{IdentityEvent, Passkey, PasskeyEnrolled, PersonCreated};
use chancery_domain::id::PersonId;
use chancery_domain::people::{Directory, DirectoryError, IDENTITY_ADMIN};
use chancery_domain::signature::{Authority, PersonSignature};
use chancery_domain::time::Timestamp;

use super::{Administrator, TrustDocument, TrustRoot};
use crate::signer::{SignerRefusal, verify_signer};

/// First line of what is hashed and signed for a `trust.json`.
pub const TRUST_CONTEXT: &str = "chancery trust v1\n";

/// The longest that a successor may be offered for signing, from its `created_at`: a week.
pub const MAX_SUCCESSOR_OFFER_SECONDS: u64 = 7 * 24 * 3600;

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
    /// It follows another root of the version before.
    #[error("the new version follows another root than the present one: its `previous_sha256` differs")]
    Predecessor,
    /// Sealed before the version that it follows.
    #[error("the new version was sealed before the present one")]
    Time,
    /// Something that no successor may change.
    #[error("a successor may not change `{field}`: {reason}")]
    Fixed {
        /// What.
        field: &'static str,
        /// Why not.
        reason: &'static str,
    },
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
    /// Somebody signed, or is listed, who does not administrate by the log.
    #[error("person `{0}` is no identity administrator with these keys by the log")]
    NotStanding(PersonId),
    /// The persons contradict themselves, which those of a checked root do not.
    #[error("the administrators contradict each other: {0}")]
    People(#[from] DirectoryError),
}

impl SuccessorRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Version { .. } => "trust_version",
            Self::Predecessor => "trust_predecessor",
            Self::Time => "trust_time",
            Self::Fixed { .. } => "trust_fixed",
            Self::SignedTwice(_) => "trust_signed_twice",
            Self::Signature { refusal, .. } => refusal.code(),
            Self::TooFew { .. } => "trust_too_few",
            Self::NotStanding(_) => "trust_not_standing",
            Self::People(_) => "trust_people",
        }
    }
}

/// What an administrator's passkey signs for a `trust.json`: SHA-256(`"chancery trust v1\n"` ‖ its bytes).
pub fn trust_challenge(root: &TrustRoot) -> Sha256 {
    Sha256::of_parts(&[TRUST_CONTEXT.as_bytes(), root.canonical().as_bytes()])
}

/// Checks a new version against the present one, by what these two say and with no log at hand.
///
/// # Errors
/// [`SuccessorRefusal`], the first check that fails. [`SuccessorRefusal::TooFew`] is said only after everything else
/// was found to be in order.
pub fn accept_successor(
    current: &TrustRoot,
    next: &TrustRoot,
    signatures: &[PersonSignature],
) -> Result<(), SuccessorRefusal> {
    let (now, then) = (current.document(), next.document());
    check_content(current, next)?;
    let (current_people, next_people) = (administrators(now)?, administrators(then)?);
    let challenge = trust_challenge(next);
    let (mut all, mut of_current, mut of_next) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for PersonSignature { person, assertion } in signatures {
        let signer = |root: &TrustRoot, people: &Directory| {
            let site = root.relying_party();
            verify_signer(person, assertion, &challenge, site, people, then.created_at).map(|_| ())
        };
        let (by_current, by_next) = (signer(current, &current_people), signer(next, &next_people));
        if let (Err(refusal), Err(_)) = (&by_current, &by_next) {
            return Err(SuccessorRefusal::Signature { person: person.clone(), refusal: refusal.clone() });
        }
        if !all.insert(person) {
            return Err(SuccessorRefusal::SignedTwice(person.clone()));
        }
        of_current.extend(by_current.is_ok().then_some(person));
        of_next.extend(by_next.is_ok().then_some(person));
    }
    for (document, signers) in [(now, of_current), (then, of_next)] {
        let (found, needed) = (signers.len(), document.administrators_needed);
        if u32::try_from(found).is_ok_and(|count| count < needed) {
            return Err(SuccessorRefusal::TooFew { version: document.version, found, needed });
        }
    }
    Ok(())
}

/// Checks a new version against the people of the log, for whoever has it at hand: nobody signs, or is listed as an
/// administrator, whose role or key was taken away since. At the same time nobody becomes an administrator by being
/// listed.
///
/// # Errors
/// [`SuccessorRefusal::NotStanding`].
pub fn check_standing(
    next: &TrustRoot,
    signatures: &[PersonSignature],
    people: &Directory,
) -> Result<(), SuccessorRefusal> {
    let at = next.document().created_at;
    let listed = next.document().administrators.iter();
    let listed = listed.flat_map(|one| one.passkeys.iter().map(|key| (&one.id, &key.credential_id)));
    let signed = signatures.iter().map(|one| (&one.person, &one.assertion.credential_id));
    for (id, credential) in listed.chain(signed) {
        let person = people.person(id).filter(|person| !person.suspended);
        let person = person.filter(|person| person.roles.contains(IDENTITY_ADMIN));
        if person.is_none_or(|person| person.counting_key(credential.as_bytes(), at).is_err()) {
            return Err(SuccessorRefusal::NotStanding(id.clone()));
        }
    }
    Ok(())
}

/// Everything but signatures.
fn check_content(current: &TrustRoot, next: &TrustRoot) -> Result<(), SuccessorRefusal> {
    let (now, then) = (current.document(), next.document());
    if now.version.checked_add(1) != Some(then.version) {
        return Err(SuccessorRefusal::Version { current: now.version, next: then.version });
    }
    if then.previous_sha256 != Some(current.sha256()) {
        return Err(SuccessorRefusal::Predecessor);
    }
    if then.created_at < now.created_at {
        return Err(SuccessorRefusal::Time);
    }
    let new_life = then.logs.len() > now.logs.len();
    let kept =
        then.origins.len() >= now.origins.len() && now.origins.iter().all(|o| then.origins.contains(o));
    let rules = [
        (
            "logs",
            same_lives(now, then),
            "a life of the log stays as it was, but for its end and the next one",
        ),
        ("rp_id", now.rp_id == then.rp_id, "passkeys are made for one site"),
        ("origins", kept, "what was signed on one would not verify any more; add to them"),
        ("genesis", new_life || now.genesis == then.genesis, "every chain of people starts there"),
        (
            "policy",
            new_life || now.policy.genesis_sha256 == then.policy.genesis_sha256,
            "the chain of policies starts there",
        ),
        (
            "administrators_needed",
            now.administrators_needed <= then.administrators_needed,
            "it is never lowered",
        ),
    ];
    match rules.into_iter().find(|(_, holds, _)| !holds) {
        Some((field, _, reason)) => Err(SuccessorRefusal::Fixed { field, reason }),
        None => Ok(()),
    }
}

/// The same lives; or the last one closed, and one more after it.
fn same_lives(now: &TrustDocument, then: &TrustDocument) -> bool {
    if now.logs == then.logs {
        return true;
    }
    let (Some((last, earlier)), Some((_, before))) = (now.logs.split_last(), then.logs.split_last()) else {
        return false;
    };
    let Some((closed, unchanged)) = before.split_last() else { return false };
    earlier == unchanged
        && last.origin == closed.origin
        && last.vkey == closed.vkey
        && last.first_index == closed.first_index
}

/// Those who sign for a version, as a directory: whom it lists, and of version 1 its genesis persons with the role.
fn administrators(document: &TrustDocument) -> Result<Directory, DirectoryError> {
    let mut directory = Directory::default();
    if document.version > 1 {
        for Administrator { id, passkeys } in &document.administrators {
            admit(&mut directory, id, passkeys, document.created_at)?;
        }
        return Ok(directory);
    }
    let genesis = document.genesis.persons.iter();
    for person in genesis.filter(|person| person.roles.contains(IDENTITY_ADMIN)) {
        admit(&mut directory, &person.id, &person.passkeys, document.created_at)?;
    }
    Ok(directory)
}

fn admit(
    directory: &mut Directory,
    person: &PersonId,
    passkeys: &[Passkey],
    at: Timestamp,
) -> Result<(), DirectoryError> {
    let [first, further @ ..] = passkeys else { return Ok(()) };
    let created = IdentityEvent::Created(PersonCreated {
        person: person.clone(),
        passkey: first.clone(),
        roles: BTreeSet::from([IDENTITY_ADMIN.to_owned()]),
        attributes: std::collections::BTreeMap::new(),
        concealed: Vec::new(),
        authority: Authority::Genesis,
    });
    directory.evolve(&created, at)?;
    for passkey in further {
        let further = IdentityEvent::PasskeyEnrolled(PasskeyEnrolled {
            person: person.clone(),
            passkey: passkey.clone(),
            authority: Authority::Genesis,
        });
        directory.evolve(&further, at)?;
    }
    Ok(())
}
