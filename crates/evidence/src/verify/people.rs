//! The people and keys behind every signature of the bundle.

use super::check::Finding;
use super::directories::Directories;
use super::log::{Content, Contents};
use super::streams::Streams;
use crate::identity::Chain;
use crate::trust::TrustRoot;

/// Folds all identity events in the order of the log. One that is refused is left out, so that whoever it was
/// about does not exist, or does not hold what it would have given, for all checks after this one.
pub(super) fn identity_chain(
    root: &TrustRoot,
    streams: &Streams,
    contents: &Contents,
) -> Finding<Directories> {
    let mut chain = Chain::from_trust(root);
    let mut after = Vec::new();
    let mut problems = Vec::new();
    for recorded in &streams.identity {
        let Some(Content::Event(leaf)) = contents.get(&recorded.index) else { continue };
        match chain.admit(recorded.index, leaf) {
            Ok(()) => after.push((recorded.index, chain.directory().clone())),
            Err(refusal) => problems.push(format!("leaf {}: {refusal}", recorded.index)),
        }
    }
    Finding::with(Directories::new(after), problems)
}
