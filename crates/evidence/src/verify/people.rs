//! The people and keys behind every signature of the bundle.

use std::collections::BTreeSet;

use chancery_domain::event::IdentityEvent;
use chancery_domain::signature::Authority;

use super::check::Finding;
use super::directories::Directories;
use super::log::{Content, Contents};
use super::streams::Streams;
use crate::identity::Chain;
use crate::trust::Versions;

/// Everyone, and what was signed by keys of a recovery that did not count.
pub(super) struct People {
    pub directories: Directories,
    pub recovery_problems: Vec<String>,
}

/// Folds all identity events in the order of the log. One that is refused is left out, so that whoever it was
/// about does not exist, or does not hold what it would have given, for all checks after this one.
pub(super) fn identity_chain(
    versions: &Versions<'_>,
    streams: &Streams,
    contents: &Contents,
) -> Finding<People> {
    let mut chain = Chain::from_versions(versions);
    let (mut after, mut problems, mut recovery_problems) = (Vec::new(), Vec::new(), Vec::new());
    let moments = moments(streams);
    let mut last: Option<u64> = None;
    for recorded in &streams.identity {
        let Some(Content::Event(leaf)) = contents.get(&recorded.index) else { continue };
        // Kept only where somebody asks: a copy after each event would fill the memory.
        if let Some(last) = last
            && moments.range(last..recorded.index).next().is_some()
        {
            after.push((last, chain.directory().clone()));
        }
        match chain.admit(recorded.index, leaf) {
            Ok(()) => last = Some(recorded.index),
            Err(refusal) => {
                let problem = format!("leaf {}: {refusal}", recorded.index);
                if refusal.is_of_recovery() {
                    recovery_problems.push(problem.clone());
                }
                problems.push(problem);
            }
        }
    }
    after.extend(last.map(|last| (last, chain.directory().clone())));
    Finding::with(People { directories: Directories::new(after), recovery_problems }, problems)
}

/// Recoveries in the bundle's streams, with what a reader has to know of each: its day is as long as the log's own times
/// say.
pub(super) fn recoveries(streams: &Streams) -> Vec<String> {
    let recovered = streams.identity.iter().filter(|recorded| match &recorded.event.1 {
        IdentityEvent::Recovered(_) => true,
        IdentityEvent::Created(body) => matches!(body.authority, Authority::RecoveryKeys { .. }),
        IdentityEvent::PasskeyEnrolled(_)
        | IdentityEvent::PasskeyRemoved(_)
        | IdentityEvent::RoleGranted(_)
        | IdentityEvent::RoleRemoved(_)
        | IdentityEvent::AttributeAssigned(_)
        | IdentityEvent::Suspended(_)
        | IdentityEvent::Reinstated(_)
        | IdentityEvent::RecoveryCancelled(_) => false,
    });
    let said = recovered.map(|recorded| {
        let (index, at, person) = (recorded.index, recorded.at, &recorded.event.0);
        format!(
            "that a day passed after the recovery of person `{person}` (leaf {index}, {at}) before their new passkey \
             counted, other than by the log's own times, and that those who signed it knew whom they let back in"
        )
    });
    said.collect()
}

/// The leaves before which somebody asks who existed: those of the other streams.
fn moments(streams: &Streams) -> BTreeSet<u64> {
    let request = streams.request.iter().map(|recorded| recorded.index);
    request.chain(streams.policy.iter().map(|recorded| recorded.index)).collect()
}
