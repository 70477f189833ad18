//! A log in memory.

use std::collections::BTreeMap;

use chancery_canonical::Sha256;
use chancery_domain::event::to_parts;
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::time::Timestamp;
use chancery_ledger::tree::{ProveError, Root, prove_inclusion};
use chancery_ledger::{Checkpoint, Hash, LogProof, SignedCheckpoint, SignerKey, Tree, leaf_hash, node_hash};
use serde::Serialize;

/// Leaves, and the streams that they belong to.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    leaves: Vec<Vec<u8>>,
    heads: BTreeMap<Stream, (u64, Sha256)>,
    indices: BTreeMap<Stream, Vec<u64>>,
}

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]
impl MemoryLog {
    pub fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub fn leaf(&self, index: u64) -> Option<&Vec<u8>> {
        self.leaves.get(usize::try_from(index).unwrap())
    }

    pub fn indices(&self, stream: &Stream) -> Vec<u64> {
        self.indices.get(stream).cloned().unwrap_or_default()
    }

    /// Appends the next event of a stream.
    pub fn push<E: Serialize>(&mut self, stream: Stream, event: &E, at: Timestamp) -> u64 {
        let (kind, body) = to_parts(event).unwrap();
        let (version, previous) = match self.heads.get(&stream) {
            Some((version, hash)) => (version + 1, Some(*hash)),
            None => (1, None),
        };
        self.push_event(EventLeaf { stream, version, previous, kind, time: at, body })
    }

    /// Appends an event as it is.
    pub fn push_event(&mut self, leaf: EventLeaf) -> u64 {
        let bytes = leaf.to_bytes().unwrap();
        let hash = Sha256::from_bytes(*leaf_hash(&bytes).as_bytes());
        self.heads.insert(leaf.stream.clone(), (leaf.version, hash));
        self.push_bytes(leaf.stream, bytes)
    }

    /// Appends any leaf and counts it to a stream.
    pub fn push_bytes(&mut self, stream: Stream, bytes: Vec<u8>) -> u64 {
        let index = self.size();
        self.leaves.push(bytes);
        self.indices.entry(stream).or_default().push(index);
        index
    }

    /// The root over the first leaves.
    pub fn root(&self, size: u64) -> Root {
        let leaves = &self.leaves[..usize::try_from(size).unwrap()];
        Tree::empty().append(leaves).unwrap().0.root()
    }

    /// The signed checkpoint over the first leaves.
    pub fn checkpoint(&self, size: u64, key: &SignerKey) -> SignedCheckpoint {
        let origin = key.verifier().name().as_str().parse().unwrap();
        Checkpoint::new(origin, self.root(size)).sign(key).unwrap()
    }

    /// Proofs of these leaves under a checkpoint.
    pub fn proofs(&self, indices: &[u64], checkpoint: &SignedCheckpoint) -> Vec<LogProof> {
        let size = checkpoint.root().size();
        let levels = self.levels(size);
        let hash = |level: u8, index: u64| -> Result<Hash, ProveError> {
            Ok(levels[usize::from(level)][usize::try_from(index).unwrap()])
        };
        let prove = |index: &u64| {
            let path = prove_inclusion(size, *index, &hash).unwrap();
            LogProof::new(*index, path, checkpoint.note().clone()).unwrap()
        };
        indices.iter().map(prove).collect()
    }

    fn levels(&self, size: u64) -> Vec<Vec<Hash>> {
        let leaves = &self.leaves[..usize::try_from(size).unwrap()];
        let mut levels = vec![leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>()];
        while levels.last().unwrap().len() > 1 {
            let below = levels.last().unwrap();
            let pairs = below.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1]));
            let level = pairs.collect();
            levels.push(level);
        }
        levels
    }
}
