//! The people and keys behind every signature of the bundle.

use std::collections::BTreeSet;

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
    let (mut after, mut problems) = (Vec::new(), Vec::new());
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
            Err(refusal) => problems.push(format!("leaf {}: {refusal}", recorded.index)),
        }
    }
    after.extend(last.map(|last| (last, chain.directory().clone())));
    Finding::with(Directories::new(after), problems)
}

/// The leaves before which somebody asks who existed: those of the other streams.
fn moments(streams: &Streams) -> BTreeSet<u64> {
    let request = streams.request.iter().map(|recorded| recorded.index);
    request.chain(streams.policy.iter().map(|recorded| recorded.index)).collect()
}
