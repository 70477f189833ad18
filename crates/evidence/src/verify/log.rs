//! The log: its checkpoint, and that every leaf of the bundle stands in it.

use std::collections::BTreeMap;

use chancery_canonical::{Canonical, Sha256};
use chancery_domain::leaf::{EventLeaf, MAX_LEAF_BYTES};
use chancery_ledger::tree::{Root, verify_inclusion};
use chancery_ledger::witness_policy::Quorum;
use chancery_ledger::{Checkpoint, LogProof, SignedCheckpoint, VerifierKey, WitnessPolicy, leaf_hash};
use serde::Deserialize;

use super::check::Finding;
use crate::bundle::{BundleFiles, Manifest, layout};
use crate::trust::TrustRoot;

/// A leaf that was proved to stand in the log.
pub(super) struct Leaf {
    pub bytes: Vec<u8>,
    pub hash: Sha256,
}

/// A leaf that can be read.
pub(super) enum Content {
    /// Something that happened.
    Event(EventLeaf),
    /// A `hashedrekord` entry: an attestation by its digest.
    Attestation(Vec<u8>),
}

/// The leaves of the bundle, by index.
pub(super) type Leaves = BTreeMap<u64, Leaf>;
/// What they say, by index.
pub(super) type Contents = BTreeMap<u64, Content>;

pub(super) fn checkpoint_signature(
    files: &BundleFiles,
    manifest: &Manifest,
    key: &VerifierKey,
    root: &TrustRoot,
) -> Finding<SignedCheckpoint> {
    let Some(bytes) = files.get(layout::CHECKPOINT) else {
        return Finding::fail("`checkpoint` is missing");
    };
    let signed = match Checkpoint::open(bytes, key) {
        Ok(signed) => signed,
        Err(error) => return Finding::fail(error.to_string()),
    };
    let mut problems = Vec::new();
    let checkpoint = signed.checkpoint();
    if checkpoint.origin().as_str() != manifest.origin {
        problems.push(format!(
            "the bundle is of the log `{}`, the checkpoint of `{}`",
            manifest.origin,
            checkpoint.origin()
        ));
    }
    problems.extend(after_its_end(&signed, root));
    if let Some(index) = manifest.all_leaves().last().filter(|index| **index >= checkpoint.size()) {
        problems.push(format!("the checkpoint covers {} leaves, not leaf {index}", checkpoint.size()));
    }
    Finding::with(signed, problems)
}

/// A life of the log that was closed says nothing after its end, whoever has its key.
pub(super) fn after_its_end(signed: &SignedCheckpoint, root: &TrustRoot) -> Option<String> {
    let (origin, ours) = (signed.checkpoint().origin(), signed.root());
    let log = root.document().logs.iter().find(|log| log.origin == *origin)?;
    let closed = log.closed.as_ref()?;
    let same_root = ours.hash().as_bytes() == closed.root.as_bytes();
    let size = ours.size();
    if size < closed.size || (size == closed.size && same_root) {
        return None;
    }
    Some(format!(
        "your trust directory says that the log `{origin}` ended with {} leaves and root `{}`, and this is signed over \
         {size} with another one: its history was cut, or its key was used after its end",
        closed.size, closed.root
    ))
}

/// Whether witnesses are demanded and have seen the checkpoint; and when the quorum was complete by their clocks.
pub(super) struct Witnessed {
    pub required: bool,
    pub complete_at_unix: Option<u64>,
}

pub(super) fn witness_policy(checkpoint: &SignedCheckpoint, policy: &WitnessPolicy) -> Finding<Witnessed> {
    match policy.accept_note(checkpoint.note().clone()) {
        Ok(accepted) => Finding::pass(Witnessed {
            required: !matches!(policy.quorum(), Quorum::None),
            complete_at_unix: accepted.quorum_time_seconds(),
        }),
        Err(error) => Finding::fail(error.to_string()),
    }
}

/// Each leaf under one and the same checkpoint. Leaves that fail are left out for the checks after this one.
pub(super) fn leaf_inclusion(
    files: &BundleFiles,
    manifest: &Manifest,
    checkpoint: &SignedCheckpoint,
) -> Finding<Leaves> {
    let mut leaves = Leaves::new();
    let mut problems = Vec::new();
    let bytes = files.get(layout::CHECKPOINT).map(Vec::as_slice).unwrap_or_default();
    for index in manifest.all_leaves() {
        match included(files, index, bytes, checkpoint.root()) {
            Ok(leaf) => {
                leaves.insert(index, leaf);
            }
            Err(problem) => problems.push(problem),
        }
    }
    Finding::with(leaves, problems)
}

/// `checkpoint` are the bytes whose signature was verified, and `root` is what they say.
fn included(files: &BundleFiles, index: u64, checkpoint: &[u8], root: &Root) -> Result<Leaf, String> {
    let missing = |path: String| format!("`{path}` is missing");
    let bytes = files.get(&layout::leaf(index)).ok_or_else(|| missing(layout::leaf(index)))?;
    let proof = files.get(&layout::proof(index)).ok_or_else(|| missing(layout::proof(index)))?;
    let said = |problem: String| format!("leaf {index}: {problem}");
    let proof = LogProof::parse(proof).map_err(|error| said(error.to_string()))?;
    if proof.index() != index || proof.extra().is_some() {
        return Err(said("its proof is of another leaf, or carries extra data".to_owned()));
    }
    // One checkpoint for the whole bundle: leaves of different trees would prove nothing about each other.
    if proof.checkpoint().to_string().as_bytes() != checkpoint {
        return Err(said("its proof leads to another checkpoint than the bundle's".to_owned()));
    }
    let hash = leaf_hash(bytes);
    verify_inclusion(root, index, &hash, proof.path()).map_err(|error| said(error.to_string()))?;
    Ok(Leaf { bytes: bytes.clone(), hash: Sha256::from_bytes(*hash.as_bytes()) })
}

/// Reads each leaf as an event or as a `hashedrekord` entry.
pub(super) fn leaf_encoding(leaves: &Leaves) -> Finding<Contents> {
    let mut contents = Contents::new();
    let mut problems = Vec::new();
    for (index, leaf) in leaves {
        match read(&leaf.bytes) {
            Ok(content) => {
                contents.insert(*index, content);
            }
            Err(problem) => problems.push(format!("leaf {index}: {problem}")),
        }
    }
    Finding::with(contents, problems)
}

/// What tells leaves apart.
#[derive(Deserialize)]
struct Head {
    kind: String,
    #[serde(rename = "apiVersion")]
    api_version: String,
}

pub(super) fn read(bytes: &[u8]) -> Result<Content, String> {
    if bytes.len() > MAX_LEAF_BYTES {
        return Err(format!("it has more than {MAX_LEAF_BYTES} bytes"));
    }
    let text = Canonical::parse(bytes).map_err(|error| error.to_string())?;
    // What has no head of this shape is no event either, and is called so below.
    if let Ok(Head { kind, api_version }) = text.decode()
        && kind == "hashedrekord"
        && api_version == "0.0.2"
    {
        return Ok(Content::Attestation(bytes.to_vec()));
    }
    EventLeaf::from_bytes(bytes).map(Content::Event).map_err(|error| error.to_string())
}
