//! What recovery keys may authorise, and who may stop a recovery.

use chancery_domain::event::IdentityEvent;
use chancery_domain::id::PersonId;
use chancery_domain::people::{Directory, IDENTITY_ADMIN};
use chancery_domain::signature::Assertion;
use chancery_domain::time::Timestamp;

use super::IdentityRefusal;
use crate::signer::SignerRefusal;

/// INVARIANT: recovery keys give somebody their place back, or make one who can let others in; no other role, no
/// attribute, and nothing is taken away by them.
pub(super) fn check_event(event: &IdentityEvent) -> Result<(), IdentityRefusal> {
    match event {
        IdentityEvent::Recovered(_) => Ok(()),
        IdentityEvent::Created(body) => {
            let administers = body.roles.len() == 1 && body.roles.contains(IDENTITY_ADMIN);
            let plain = administers && body.attributes.is_empty();
            if plain { Ok(()) } else { Err(IdentityRefusal::RecoveryWidens(body.person.clone())) }
        }
        IdentityEvent::PasskeyEnrolled(_)
        | IdentityEvent::PasskeyRemoved(_)
        | IdentityEvent::RoleGranted(_)
        | IdentityEvent::RoleRemoved(_)
        | IdentityEvent::AttributeAssigned(_)
        | IdentityEvent::Suspended(_)
        | IdentityEvent::Reinstated(_)
        | IdentityEvent::RecoveryCancelled(_) => Err(IdentityRefusal::RecoveryCannot),
    }
}

/// The person stops their own recovery with a key from before it, never with the one that it made.
pub(super) fn check_lost(
    person: &PersonId,
    assertion: &Assertion,
    directory: &Directory,
    at: Timestamp,
) -> Result<(), SignerRefusal> {
    let recovery = directory.person(person).and_then(|known| known.running_recovery(at));
    let id = assertion.credential_id.as_bytes();
    match recovery {
        Some(recovery) if recovery.lost.contains_key(id) => Ok(()),
        Some(recovery) if recovery.credential_id.as_bytes() == id => {
            Err(SignerRefusal::Waits { person: person.clone(), from: recovery.counts_from })
        }
        Some(_) | None => Err(SignerRefusal::NotTheirKey(person.clone())),
    }
}

/// Why nobody says yes to this for themself.
pub(super) fn own_act(event: &IdentityEvent, person: &PersonId) -> IdentityRefusal {
    match event {
        IdentityEvent::Recovered(_) => IdentityRefusal::OwnRecovery(person.clone()),
        IdentityEvent::Created(_)
        | IdentityEvent::PasskeyEnrolled(_)
        | IdentityEvent::PasskeyRemoved(_)
        | IdentityEvent::RoleGranted(_)
        | IdentityEvent::RoleRemoved(_)
        | IdentityEvent::AttributeAssigned(_)
        | IdentityEvent::Suspended(_)
        | IdentityEvent::Reinstated(_)
        | IdentityEvent::RecoveryCancelled(_) => IdentityRefusal::OwnRole(person.clone()),
    }
}
