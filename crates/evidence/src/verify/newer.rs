//! A newer log: that this one is its beginning, that nothing was cut off the bundle's streams, and what came after.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::Sha256;
use chancery_domain::event::{TrustEvent, from_parts};
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_ledger::tree::Root;
use chancery_ledger::{SignedCheckpoint, Tree, leaf_hash};

use super::check::Finding;
use super::log::{Content, after_its_end, read};
use crate::bundle::Manifest;
use crate::identity::Chain;
use crate::trust::{TrustRoot, Versions};

/// How many leaves are hashed at once.
const CHUNK: u64 = 256;

/// A log that may be newer than the one in the bundle.
pub struct NewerLog<'a> {
    /// Its signed checkpoint, with cosignatures. Pin one that you got from somebody you trust.
    pub checkpoint: &'a [u8],
    /// Bytes of the leaf at an index, `None` if it cannot be read.
    pub leaf: &'a dyn Fn(u64) -> Option<Vec<u8>>,
}

/// An event of the bundle's streams that came after the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaterEvent {
    /// Index of its leaf.
    pub index: u64,
    /// Its stream.
    pub stream: String,
    /// Its kind, such as `grant.revoked`.
    pub kind: String,
    /// Its time.
    pub at: String,
}

/// What the bundle says, held against the newer log.
pub(super) struct Held<'a> {
    pub manifest: &'a Manifest,
    pub checkpoint: &'a SignedCheckpoint,
    pub root: &'a TrustRoot,
    /// The versions of the root in this life of the log.
    pub versions: &'a Versions<'a>,
    /// Roots that decisions name, by size, with the leaf of the decision.
    pub named: &'a [(u64, Sha256, u64)],
}

impl Held<'_> {
    /// Hashes the whole newer log, so that one pass shows its root, the older root and the roots in decisions.
    pub fn check(&self, newer: &NewerLog<'_>) -> Finding<Vec<LaterEvent>> {
        let accepted = match self.root.witness_policy().accept(newer.checkpoint) {
            Ok(accepted) => accepted,
            Err(error) => return Finding::fail(format!("the newer checkpoint: {error}")),
        };
        let new = *accepted.checkpoint().root();
        if accepted.checkpoint().checkpoint().origin() != self.checkpoint.checkpoint().origin() {
            return Finding::fail("the newer checkpoint is of another log");
        }
        if new.size() < self.checkpoint.root().size() {
            return Finding::fail(format!(
                "the log given has {} leaves, fewer than the {} of the bundle: it is the older one, or was cut",
                new.size(),
                self.checkpoint.root().size()
            ));
        }
        if let Some(problem) = after_its_end(accepted.checkpoint(), self.root) {
            return Finding::fail(problem);
        }
        self.walk(newer, &new)
    }

    fn walk(&self, newer: &NewerLog<'_>, new: &Root) -> Finding<Vec<LaterEvent>> {
        let old = self.checkpoint.root();
        let mut wanted: BTreeMap<u64, Vec<(Sha256, String)>> = BTreeMap::new();
        let mut want =
            |size: u64, root: Sha256, said: String| wanted.entry(size).or_default().push((root, said));
        want(old.size(), digest(old), "the newer log does not contain the bundle's".to_owned());
        want(new.size(), digest(new), "the newer log's leaves are not those of its checkpoint".to_owned());
        for (size, root, leaf) in self.named {
            want(
                *size,
                *root,
                format!("leaf {leaf}: the decision names a checkpoint that is not of this log"),
            );
        }
        let mut problems = Vec::new();
        let mut seen = Seen::new(self);
        let mut tree = Tree::empty();
        while tree.size() <= new.size() {
            for (root, said) in wanted.get(&tree.size()).into_iter().flatten() {
                if digest(&tree.root()) != *root {
                    problems.push(said.clone());
                }
            }
            if tree.size() == new.size() {
                break;
            }
            // Up to the next size whose root is wanted.
            let next = wanted.range(tree.size() + 1..).next().map_or(new.size(), |(size, _)| *size);
            let end = next.min(tree.size() + CHUNK).min(new.size());
            let leaves: Option<Vec<Vec<u8>>> = (tree.size()..end).map(|index| (newer.leaf)(index)).collect();
            let Some(leaves) = leaves else {
                problems
                    .push(format!("a leaf from {} to {end} of the newer log cannot be read", tree.size()));
                return Finding { value: None, problems };
            };
            for (index, bytes) in (tree.size()..end).zip(&leaves) {
                if let Ok(Content::Event(leaf)) = read(bytes) {
                    seen.event(index, bytes, leaf);
                }
            }
            tree = match tree.append(&leaves) {
                Ok((grown, _)) => grown,
                Err(error) => return Finding::fail(error.to_string()),
            };
        }
        problems.extend(seen.problems);
        Finding::with(seen.later, problems)
    }

    fn streams(&self) -> BTreeSet<Stream> {
        let persons = self.manifest.identity.keys().cloned().map(Stream::Identity);
        persons.chain([Stream::Request(self.manifest.request.clone()), Stream::Policy]).collect()
    }
}

/// What the events of the newer log came to so far.
struct Seen<'a> {
    held: &'a Held<'a>,
    listed: BTreeSet<u64>,
    streams: BTreeSet<Stream>,
    /// Version and hash of the last event of each of these streams.
    heads: BTreeMap<Stream, (u64, Sha256)>,
    /// All people of the log, those too of whom the bundle does not speak.
    chain: Chain,
    later: Vec<LaterEvent>,
    problems: Vec<String>,
}

impl<'a> Seen<'a> {
    fn new(held: &'a Held<'a>) -> Self {
        Self {
            held,
            listed: held.manifest.all_leaves(),
            streams: held.streams(),
            heads: BTreeMap::new(),
            chain: Chain::from_versions(held.versions),
            later: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn event(&mut self, index: u64, bytes: &[u8], leaf: EventLeaf) {
        let within = index < self.held.checkpoint.root().size();
        if let (Stream::Trust, true) = (&leaf.stream, within)
            && let Ok(event) = from_parts::<TrustEvent>(&leaf.kind, &leaf.body)
        {
            self.chain.sealed_at(event.sealed().0, index, leaf.time);
        }
        // INVARIANT: one chain over everybody, since who must sign depends on people of whom the bundle may not
        // speak, and a stream that was forked or left out shows only here.
        if let (Stream::Identity(_), true) = (&leaf.stream, within)
            && let Err(refusal) = self.chain.admit(index, &leaf)
        {
            self.problems.push(format!("leaf {index}: `{}` of `{}`: {refusal}", leaf.kind, leaf.stream));
        }
        if !self.streams.contains(&leaf.stream) {
            return;
        }
        self.continues(index, bytes, &leaf);
        if self.listed.contains(&index) {
            return;
        }
        // The policy may have moved on before the checkpoint; what counts is which one was active at the verdicts.
        let after_last = self.held.manifest.leaves.last().is_some_and(|last| index > *last);
        if within && !(leaf.stream == Stream::Policy && after_last) {
            self.problems.push(format!(
                "leaf {index}: `{}` of `{}` stands in the log and was left out of the bundle",
                leaf.kind, leaf.stream
            ));
            return;
        }
        let (stream, at) = (leaf.stream.to_string(), leaf.time.to_string());
        self.later.push(LaterEvent { index, stream, kind: leaf.kind, at });
    }

    /// Each event of a stream follows the one before it, in the newer log as well.
    fn continues(&mut self, index: u64, bytes: &[u8], leaf: &EventLeaf) {
        let hash = Sha256::from_bytes(*leaf_hash(bytes).as_bytes());
        let before = self.heads.insert(leaf.stream.clone(), (leaf.version, hash));
        let next = before.map_or(1, |(version, _)| version.saturating_add(1));
        if leaf.version != next || leaf.previous != before.map(|(_, hash)| hash) {
            self.problems.push(format!(
                "leaf {index}: version {} of `{}` does not follow the event before it: the stream was forked",
                leaf.version, leaf.stream
            ));
        }
    }
}

fn digest(root: &Root) -> Sha256 {
    Sha256::from_bytes(*root.hash().as_bytes())
}
