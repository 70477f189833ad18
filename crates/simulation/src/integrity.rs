//! Everything recomputed from the leaves, as the real engine's `doctor` does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chancery_canonical::Sha256;
use chancery_domain::id::RequestId;
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_ledger::tile::TileKind;
use chancery_ledger::{Checkpoint, Tree, leaf_hash};
use chancery_store::{Check, Fault, Finding, Projection, Rebuild, RowDifference};

use crate::state::{LogKey, State};

/// What is wrong with the state; an empty list means that all is well.
pub fn examine(state: &State, key: &LogKey, projection: Option<&Projection>) -> Vec<Finding> {
    let mut findings = Vec::new();
    examine_leaves(state, &mut findings);
    examine_log(state, key, &mut findings);
    for (sha256, document) in state.documents.iter() {
        if Sha256::of(&document.bytes) != *sha256 {
            findings.push(finding(Check::Documents, format!("the document `{sha256}` has other bytes")));
        }
    }
    if let Some(projection) = projection {
        let mut scratch = state.clone();
        match rebuild(&mut scratch, Rebuild::Compare, projection) {
            Ok(differences) => findings.extend(differences.iter().map(|difference| {
                let id = &difference.id;
                finding(Check::ReadModel, format!("the row of `{id}` is not what its events make"))
            })),
            Err(fault) => findings.push(finding(Check::ReadModel, fault.to_string())),
        }
    }
    findings
}

fn finding(check: Check, detail: String) -> Finding {
    Finding { check, detail }
}

/// Each leaf belongs to one event or attestation, and each event continues its stream.
fn examine_leaves(state: &State, findings: &mut Vec<Finding>) {
    let mut heads: BTreeMap<Stream, (u64, Sha256)> = BTreeMap::new();
    let mut claimed = BTreeSet::new();
    for (index, event) in state.events.iter() {
        claimed.insert(*index);
        let stored = |index: u64| usize::try_from(index).ok().and_then(|index| state.leaves.get(index));
        if stored(*index).is_none_or(|leaf| **leaf != event.leaf_bytes) {
            findings.push(finding(Check::Events, format!("leaf {index} is not its event's")));
        }
        if let Some(attestation) = &event.attestation {
            claimed.insert(attestation.leaf_index);
            if stored(attestation.leaf_index).is_none_or(|leaf| **leaf != attestation.leaf) {
                let index = attestation.leaf_index;
                findings.push(finding(Check::Events, format!("leaf {index} is not its attestation's")));
            }
        }
        let Ok(leaf) = EventLeaf::from_bytes(&event.leaf_bytes) else {
            findings.push(finding(Check::Leaves, format!("leaf {index} is no event")));
            continue;
        };
        let (version, previous) = match heads.get(&leaf.stream) {
            Some((version, hash)) => (version.saturating_add(1), Some(*hash)),
            None => (1, None),
        };
        if (leaf.version, leaf.previous) != (version, previous) {
            let detail = format!("leaf {index} does not continue `{}`", leaf.stream);
            findings.push(finding(Check::Streams, detail));
        }
        let hash = Sha256::from_bytes(*leaf_hash(&event.leaf_bytes).as_bytes());
        heads.insert(leaf.stream.clone(), (leaf.version, hash));
    }
    let unclaimed = (0_u64..).zip(state.leaves.iter()).filter(|(index, _)| !claimed.contains(index));
    findings.extend(
        unclaimed.map(|(index, _)| finding(Check::Leaves, format!("leaf {index} belongs to nothing"))),
    );
    if claimed.len() > state.leaves.len() {
        findings.push(finding(Check::Leaves, "there are events without leaves".to_owned()));
    }
}

/// The leaves make the tiles that are stored and the root that is signed.
fn examine_log(state: &State, key: &LogKey, findings: &mut Vec<Finding>) {
    let leaves: Vec<&[u8]> = state.leaves.iter().map(|leaf| leaf.as_slice()).collect();
    let Ok((tree, growth)) = Tree::empty().append(&leaves) else {
        findings.push(finding(Check::Leaves, "the leaves make no tree".to_owned()));
        return;
    };
    for (path, bytes) in &growth.tiles {
        let TileKind::Hashes { level } = path.kind() else { continue };
        if state.tiles.get(&(level, path.index())) != Some(bytes) {
            findings.push(finding(Check::Tiles, format!("`{path}` is not what the leaves make")));
        }
    }
    let note = state.head.checkpoint.note().to_string();
    match Checkpoint::open(note.as_bytes(), key.verifier()) {
        Ok(signed) if *signed.root() == tree.root() => {}
        Ok(_) => findings.push(finding(Check::Checkpoint, "the leaves make another root".to_owned())),
        Err(error) => findings.push(finding(Check::Checkpoint, error.to_string())),
    }
}

/// Makes the read model again, and stores it if asked to.
///
/// # Errors
/// When events make no row.
pub fn rebuild(
    state: &mut State,
    mode: Rebuild,
    projection: &Projection,
) -> Result<Vec<RowDifference>, Fault> {
    let mut ids: BTreeSet<RequestId> = state.rows.keys().cloned().collect();
    ids.extend(state.streams.keys().filter_map(|stream| match stream {
        Stream::Request(id) => Some(id.clone()),
        Stream::Identity(_) | Stream::Alert(_) | Stream::Policy | Stream::Trust => None,
    }));
    let mut differences = Vec::new();
    for id in ids {
        let events: Vec<_> = state.stream(&Stream::Request(id.clone())).cloned().collect();
        let damaged = |reason| Fault::Damaged(format!("request `{id}`: {reason}"));
        let rebuilt = match events.is_empty() {
            true => None,
            false => Some(projection(&id, &events).map_err(damaged)?),
        };
        let stored = state.rows.get(&id).cloned();
        if stored == rebuilt {
            continue;
        }
        if mode == Rebuild::Rewrite {
            let rows = Arc::make_mut(&mut state.rows);
            match rebuilt.clone() {
                Some(row) => rows.insert(id.clone(), row),
                None => rows.remove(&id),
            };
        }
        differences.push(RowDifference { id, stored, rebuilt });
    }
    Ok(differences)
}
