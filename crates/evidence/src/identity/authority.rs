//! Who must have signed an identity event, and whether they did.

use std::collections::BTreeSet;

use chancery_canonical::Canonical;
use chancery_domain::document::{IdentityDocument, challenge};
use chancery_domain::event::IdentityEvent;
use chancery_domain::id::PersonId;
use chancery_domain::leaf::EventLeaf;
use chancery_domain::people::{IDENTITY_ADMIN, Person};
use chancery_domain::signature::{Authority, PersonSignature};

use super::{Chain, Genesis, IdentityRefusal, recovery};
use crate::recovery::{MAX_RECOVERY_OFFER_SECONDS, verify_recovery};
use crate::signer::{is_nonce, verify_present, verify_signer};
use crate::trust::Recovery;

/// The longest that an identity document may be offered for signing: a day, in which two people find time.
pub const MAX_IDENTITY_OFFER_SECONDS: u64 = 24 * 3600;

/// The member of an event's body that holds its authority, and that its document leaves out.
const AUTHORITY: &str = "authority";

/// Who has to say yes.
enum Needed<'a> {
    /// The person, by a key they have already.
    Own,
    /// So many identity administrators.
    Administrators(usize),
    /// So many identity administrators, none of whom may be this person.
    AdministratorsOtherThan(usize, &'a PersonId),
    /// The person, or one identity administrator.
    OwnOrAdministrator,
    /// The person with a key that is being replaced, or one identity administrator.
    LostOrAdministrator,
}

/// Whom an event is about.
pub fn subject(event: &IdentityEvent) -> &PersonId {
    match event {
        IdentityEvent::Created(body) => &body.person,
        IdentityEvent::PasskeyEnrolled(body) => &body.person,
        IdentityEvent::PasskeyRemoved(body) => &body.person,
        IdentityEvent::RoleGranted(body) | IdentityEvent::RoleRemoved(body) => &body.person,
        IdentityEvent::AttributeAssigned(body) => &body.person,
        IdentityEvent::Suspended(body) | IdentityEvent::Reinstated(body) => &body.person,
        IdentityEvent::Recovered(body) => &body.person,
        IdentityEvent::RecoveryCancelled(body) => &body.person,
    }
}

fn authority(event: &IdentityEvent) -> &Authority {
    match event {
        IdentityEvent::Created(body) => &body.authority,
        IdentityEvent::PasskeyEnrolled(body) => &body.authority,
        IdentityEvent::PasskeyRemoved(body) => &body.authority,
        IdentityEvent::RoleGranted(body) | IdentityEvent::RoleRemoved(body) => &body.authority,
        IdentityEvent::AttributeAssigned(body) => &body.authority,
        IdentityEvent::Suspended(body) | IdentityEvent::Reinstated(body) => &body.authority,
        IdentityEvent::Recovered(body) => &body.authority,
        IdentityEvent::RecoveryCancelled(body) => &body.authority,
    }
}

fn needed(event: &IdentityEvent, administrators: usize) -> Needed<'_> {
    match event {
        IdentityEvent::Created(_) | IdentityEvent::Reinstated(_) => Needed::Administrators(administrators),
        // An attribute makes somebody eligible just as a role does.
        IdentityEvent::AttributeAssigned(body) => {
            Needed::AdministratorsOtherThan(administrators, &body.person)
        }
        IdentityEvent::RoleGranted(body) => Needed::AdministratorsOtherThan(administrators, &body.person),
        IdentityEvent::Recovered(body) => Needed::AdministratorsOtherThan(administrators, &body.person),
        IdentityEvent::PasskeyEnrolled(_) => Needed::Own,
        IdentityEvent::PasskeyRemoved(_) | IdentityEvent::RoleRemoved(_) | IdentityEvent::Suspended(_) => {
            Needed::OwnOrAdministrator
        }
        IdentityEvent::RecoveryCancelled(_) => Needed::LostOrAdministrator,
    }
}

/// Whether an event takes something away from the person that it is about.
pub fn takes_away(event: &IdentityEvent) -> bool {
    match event {
        IdentityEvent::PasskeyRemoved(_)
        | IdentityEvent::RoleRemoved(_)
        | IdentityEvent::Suspended(_)
        | IdentityEvent::Recovered(_)
        | IdentityEvent::RecoveryCancelled(_) => true,
        IdentityEvent::Created(_)
        | IdentityEvent::PasskeyEnrolled(_)
        | IdentityEvent::RoleGranted(_)
        | IdentityEvent::AttributeAssigned(_)
        | IdentityEvent::Reinstated(_) => false,
    }
}

/// Whether an event gives the person that it is about something; a recovery both takes and gives.
fn gives(event: &IdentityEvent) -> bool {
    matches!(event, IdentityEvent::Recovered(_)) || !takes_away(event)
}

/// Checks that the event may stand at its position, and returns the document that it uses up.
pub fn check(
    chain: &Chain,
    event: &IdentityEvent,
    (index, leaf): (u64, &EventLeaf),
) -> Result<Option<IdentityDocument>, IdentityRefusal> {
    let demands = chain.demands(index, leaf.time);
    match authority(event) {
        Authority::Genesis => check_genesis(&chain.genesis, event, leaf).map(|()| None),
        Authority::People { document, signatures } => {
            let identity = check_document(chain, document, leaf, MAX_IDENTITY_OFFER_SECONDS)?;
            check_order(chain, event, &identity)?;
            let needed = needed(event, chain.administrators_needed(demands));
            check_signatures(chain, event, &needed, (document, &identity), signatures)?;
            Ok(Some(identity))
        }
        Authority::RecoveryKeys { document, signatures } => {
            recovery::check_event(event)?;
            let identity = check_document(chain, document, leaf, MAX_RECOVERY_OFFER_SECONDS)?;
            check_order(chain, event, &identity)?;
            let Recovery { threshold, keys } = &demands.recovery;
            verify_recovery(document, signatures, keys, *threshold)?;
            Ok(Some(identity))
        }
    }
}

fn check_genesis(genesis: &Genesis, event: &IdentityEvent, leaf: &EventLeaf) -> Result<(), IdentityRefusal> {
    let named = |id: &PersonId| match genesis {
        Genesis::Sealed(persons) => persons.get(id).map(Some),
        Genesis::Unsealed => Some(None),
    };
    let stands = match event {
        IdentityEvent::Created(body) => named(&body.person).is_some_and(|person| {
            person.is_none_or(|person| {
                person.roles == body.roles
                    && person.attributes == body.attributes
                    && person.passkeys.contains(&body.passkey)
            })
        }),
        IdentityEvent::PasskeyEnrolled(body) => named(&body.person)
            .is_some_and(|person| person.is_none_or(|person| person.passkeys.contains(&body.passkey))),
        IdentityEvent::PasskeyRemoved(_)
        | IdentityEvent::RoleGranted(_)
        | IdentityEvent::RoleRemoved(_)
        | IdentityEvent::AttributeAssigned(_)
        | IdentityEvent::Suspended(_)
        | IdentityEvent::Reinstated(_)
        | IdentityEvent::Recovered(_)
        | IdentityEvent::RecoveryCancelled(_) => {
            return Err(IdentityRefusal::GenesisCannot(leaf.kind.clone()));
        }
    };
    if stands { Ok(()) } else { Err(IdentityRefusal::NotGenesis(subject(event).clone())) }
}

fn check_document(
    chain: &Chain,
    document: &Canonical,
    leaf: &EventLeaf,
    longest_seconds: u64,
) -> Result<IdentityDocument, IdentityRefusal> {
    let identity: IdentityDocument = document.decode().map_err(IdentityRefusal::Document)?;
    if identity.log_origin != chain.log_origin {
        return Err(IdentityRefusal::OtherLog(identity.log_origin));
    }
    if identity.act != leaf.kind {
        return Err(IdentityRefusal::OtherAct(identity.act));
    }
    let mut body = leaf.body.clone();
    body.remove(AUTHORITY);
    if identity.body != body {
        return Err(IdentityRefusal::OtherBody);
    }
    if !is_nonce(&identity.nonce) {
        return Err(IdentityRefusal::Nonce);
    }
    if chain.nonces.contains(&identity.nonce) {
        return Err(IdentityRefusal::NonceUsed);
    }
    let length = identity.expires_at.seconds_since(identity.issued_at);
    if !(1..=longest_seconds).contains(&length) {
        return Err(IdentityRefusal::Window(longest_seconds));
    }
    if leaf.time < identity.issued_at {
        return Err(IdentityRefusal::NotYet(identity.issued_at));
    }
    if leaf.time >= identity.expires_at {
        return Err(IdentityRefusal::Expired(identity.expires_at));
    }
    Ok(identity)
}

/// What was offered before something was taken away gives nothing after it. Else whoever orders the log could
/// hold a signed role back, log its removal first, and so turn the two around.
fn check_order(
    chain: &Chain,
    event: &IdentityEvent,
    identity: &IdentityDocument,
) -> Result<(), IdentityRefusal> {
    let person = subject(event);
    match chain.taken_away.get(person) {
        Some(taken_away) if gives(event) && identity.issued_at < *taken_away => {
            Err(IdentityRefusal::Overtaken(person.clone()))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_signatures(
    chain: &Chain,
    event: &IdentityEvent,
    needed: &Needed<'_>,
    (document, identity): (&Canonical, &IdentityDocument),
    signatures: &[PersonSignature],
) -> Result<(), IdentityRefusal> {
    let count = match *needed {
        Needed::Own | Needed::OwnOrAdministrator | Needed::LostOrAdministrator => 1,
        Needed::Administrators(count) | Needed::AdministratorsOtherThan(count, _) => count,
    };
    let challenge = challenge::<IdentityDocument>(document);
    let mut signers = BTreeSet::new();
    for PersonSignature { person, assertion } in signatures {
        if !signers.insert(person) {
            return Err(IdentityRefusal::SignedTwice(person.clone()));
        }
        // INVARIANT: a key counted when the act was offered, so that nothing signed while it waited, or before it was
        // there at all, is held back until it counts.
        let (site, directory, at) = (&chain.relying_party, &chain.directory, identity.issued_at);
        let own = *person == *subject(event);
        let signer = match needed {
            Needed::LostOrAdministrator if own => recovery::check_lost(person, assertion, directory, at)
                .and_then(|()| verify_present(person, assertion, &challenge, site, directory, at)),
            Needed::Own
            | Needed::Administrators(_)
            | Needed::AdministratorsOtherThan(_, _)
            | Needed::OwnOrAdministrator
            | Needed::LostOrAdministrator => {
                verify_signer(person, assertion, &challenge, site, directory, at)
            }
        };
        let signer =
            signer.map_err(|refusal| IdentityRefusal::Signature { person: person.clone(), refusal })?;
        check_entitled(signer.person, event, needed)?;
    }
    if signers.len() < count {
        return Err(IdentityRefusal::TooFew { found: signers.len(), needed: count });
    }
    Ok(())
}

fn check_entitled(
    signer: &Person,
    event: &IdentityEvent,
    needed: &Needed<'_>,
) -> Result<(), IdentityRefusal> {
    let own = signer.id == *subject(event);
    let administrates = signer.roles.contains(IDENTITY_ADMIN);
    let entitled = match needed {
        Needed::AdministratorsOtherThan(_, person) if signer.id == **person => {
            return Err(recovery::own_act(event, &signer.id));
        }
        Needed::Own => own,
        Needed::Administrators(_) | Needed::AdministratorsOtherThan(_, _) => administrates,
        Needed::OwnOrAdministrator | Needed::LostOrAdministrator => own || administrates,
    };
    if entitled { Ok(()) } else { Err(IdentityRefusal::NotEntitled(signer.id.clone())) }
}
