//! Follows the log from outside, leaf by leaf, and holds every promise against it.

use std::collections::BTreeMap;

use chancery_ledger::tile::{TileKind, decode_bundle, tile_at};
use chancery_ledger::{Hash, Tree};
use serde_json::Value;

use crate::promises::Promises;
use crate::site::{Lost, Site};

/// Entries in one bundle.
const WIDTH: u64 = 256;

/// A copy of the log that only grows.
pub struct Auditor {
    tree: Tree,
    pub leaves: Vec<Vec<u8>>,
    /// Roots of this copy, by size.
    roots: BTreeMap<u64, Hash>,
    /// Checkpoints that were held against this copy.
    pub checkpoints: u64,
    /// The note of the newest one.
    pub newest: Vec<u8>,
}

impl Auditor {
    /// Has seen nothing yet.
    pub fn new() -> Self {
        let tree = Tree::empty();
        let roots = BTreeMap::from([(0, tree.root().hash())]);
        Self { tree, leaves: Vec::new(), roots, checkpoints: 0, newest: Vec::new() }
    }

    /// Reads what is new, and checks: it continues what was read before; every checkpoint that anybody saw is a
    /// prefix of it; every promised leaf is in its place.
    pub fn follow(&mut self, site: &Site, promises: &mut Promises) -> Result<(), Lost> {
        let answer = site.open("GET", "/log/checkpoint", None)?;
        if !answer.is_good() {
            promises.violated(format!("no checkpoint: {}", answer.text()));
            return Ok(());
        }
        let Some((size, root)) = promises.saw_checkpoint(&answer.bytes) else { return Ok(()) };
        let known = self.tree.size();
        if size < known {
            promises.violated(format!("{known} leaves were read, now there are {size}"));
            return Ok(());
        }
        let fresh = read_leaves(site, known, size)?;
        self.take(fresh, promises);
        if self.roots.get(&size) != Some(&root) {
            promises.violated(format!("the {size} leaves that are served are not those that were signed"));
        }
        self.newest = answer.bytes;
        self.hold_roots(promises);
        self.hold_leaves(promises);
        self.hold_list(site, promises)
    }

    /// Grows, and stops at every size of which somebody saw a checkpoint.
    fn take(&mut self, fresh: Vec<Vec<u8>>, promises: &Promises) {
        let (known, size) = (self.tree.size(), self.tree.size() + fresh.len() as u64);
        let mut stops: Vec<u64> = promises.roots.range(known + 1..).map(|(size, _)| *size).collect();
        stops.retain(|stop| *stop < size);
        stops.push(size);
        let mut rest = fresh.as_slice();
        for stop in stops {
            let count = usize::try_from(stop - self.tree.size()).unwrap();
            let (now, later) = rest.split_at(count);
            self.tree = self.tree.append(now).unwrap().0;
            self.roots.insert(stop, self.tree.root().hash());
            rest = later;
        }
        self.leaves.extend(fresh);
    }

    fn hold_roots(&mut self, promises: &mut Promises) {
        let mut wrong = Vec::new();
        for (size, root) in &promises.roots {
            if *size > self.tree.size() {
                wrong.push(format!(
                    "a checkpoint of {size} leaves was signed, there are {}",
                    self.tree.size()
                ));
            } else if self.roots.get(size).is_some_and(|known| known != root) {
                wrong.push(format!("the checkpoint of {size} leaves is of another history"));
            }
        }
        self.checkpoints = promises.roots.len() as u64;
        promises.violations.append(&mut wrong);
    }

    fn hold_leaves(&self, promises: &mut Promises) {
        for index in std::mem::take(&mut promises.unchecked) {
            let Some(leaf) = self.leaf(index) else {
                let event = promises.events.get(&index).cloned();
                promises.violated(format!("leaf {index} was acknowledged and is lost: {event:?}"));
                continue;
            };
            if promises.leaves.get(&index).is_some_and(|promised| promised != leaf) {
                promises.violated(format!("leaf {index} has other bytes than its receipt"));
            }
            let Some(event) = promises.events.get(&index) else { continue };
            let spec = serde_json::from_slice::<Value>(leaf).unwrap()["spec"].take();
            let found = (spec["stream"].as_str(), spec["version"].as_u64(), spec["kind"].as_str());
            if found != (Some(event.stream.as_str()), Some(event.version), Some(event.kind.as_str())) {
                promises.violated(format!("leaf {index} was acknowledged as {event:?} and is {found:?}"));
            }
        }
    }

    fn hold_list(&self, site: &Site, promises: &mut Promises) -> Result<(), Lost> {
        let answer = site.open("GET", "/api/v1/revocations/ssh", None)?;
        match answer.is_good().then(|| crate::examine::list_number(&answer.bytes)).flatten() {
            Some(number) => promises.saw_list(number),
            None => promises.violated(format!("no revocation list: {}", answer.status)),
        }
        Ok(())
    }

    fn leaf(&self, index: u64) -> Option<&Vec<u8>> {
        self.leaves.get(usize::try_from(index).unwrap())
    }
}

/// Leaves from the tiles that anybody may read.
fn read_leaves(site: &Site, from: u64, size: u64) -> Result<Vec<Vec<u8>>, Lost> {
    let mut leaves = Vec::new();
    if from == size {
        return Ok(leaves);
    }
    for number in from / WIDTH..=(size - 1) / WIDTH {
        let path = tile_at(TileKind::Entries, number, size).unwrap();
        let bundle = site.open("GET", &format!("/log/{path}"), None)?;
        if !bundle.is_good() {
            return Err(Lost(format!("{path}: {}", bundle.text())));
        }
        let skipped = usize::try_from(from.saturating_sub(number * WIDTH)).unwrap();
        let entries = decode_bundle(&bundle.bytes).unwrap();
        leaves.extend(entries.into_iter().skip(skipped).map(<[u8]>::to_vec));
    }
    Ok(leaves)
}
