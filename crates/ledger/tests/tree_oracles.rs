//! Roots and proofs of every size up to 1025, and of random sizes up to 2^40, against implementations that
//! nobody here wrote. A wrong proof has to get the same verdict from everybody.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod oracles;

use chancery_ledger::tree::{
    EMPTY_ROOT, ProveError, prove_consistency, prove_inclusion, root_hash, verify_consistency,
    verify_inclusion,
};
use chancery_ledger::{Hash, Root, leaf_hash, node_hash};
use proptest::prelude::*;

const LARGEST: u64 = 1025;

/// A tree of different leaves, kept as rows of complete subtrees.
struct Rows(Vec<Vec<Hash>>);

impl Rows {
    fn new(size: u64) -> Rows {
        let mut rows = vec![(0..size).map(|index| leaf_hash(&leaf(index))).collect::<Vec<_>>()];
        while rows[rows.len() - 1].len() > 1 {
            let below = &rows[rows.len() - 1];
            rows.push(below.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect());
        }
        Rows(rows)
    }

    fn hash(&self, level: u8, index: u64) -> Result<Hash, ProveError> {
        let hash = self.0.get(usize::from(level)).and_then(|row| row.get(index as usize));
        hash.copied().ok_or(ProveError::MissingHash { level, index })
    }

    fn root(&self, size: u64) -> Root {
        Root::new(size, root_hash(size, &|level, index| self.hash(level, index)).unwrap()).unwrap()
    }

    fn reader(&self) -> oracles::Reader<impl Fn(u8, u64) -> [u8; 32] + '_> {
        oracles::Reader(|level, index| *self.hash(level, index).unwrap().as_bytes())
    }
}

fn leaf(index: u64) -> Vec<u8> {
    format!("leaf {index}").into_bytes()
}

/// Everybody gives the same verdict on an inclusion proof, and it is the one expected if there is one.
fn check_inclusion(root: &Root, index: u64, leaf: &[u8], path: &[Hash], expected: Option<bool>) {
    let ours = verify_inclusion(root, index, &leaf_hash(leaf), path).is_ok();
    let size = root.size();
    assert_eq!([ours; 3], oracles::inclusion(root, index, leaf, path), "leaf {index} of {size}");
    assert!(expected.is_none_or(|expected| expected == ours), "leaf {index} of {size}: {ours}");
}

fn check_consistency(old: &Root, new: &Root, path: &[Hash], expected: Option<bool>) {
    let ours = verify_consistency(old, new, path).is_ok();
    let sizes = format!("{} to {}", old.size(), new.size());
    assert_eq!([ours; 3], oracles::consistency(old, new, path), "{sizes}");
    assert!(expected.is_none_or(|expected| expected == ours), "{sizes}: {ours}");
}

/// Every way to spoil a list of hashes: cut at either end, extend, swap neighbours, flip a bit of each.
fn spoiled(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![[path, &[EMPTY_ROOT]].concat(), [&[EMPTY_ROOT], path].concat()];
    for at in 0..path.len() {
        let mut flipped = path.to_vec();
        let mut bytes = *path[at].as_bytes();
        bytes[at % 32] ^= 1 << (at % 8);
        flipped[at] = Hash::from_bytes(bytes);
        all.push(flipped);
        if at + 1 < path.len() && path[at] != path[at + 1] {
            let mut swapped = path.to_vec();
            swapped.swap(at, at + 1);
            all.push(swapped);
        }
    }
    if let [_, rest @ ..] = path {
        all.extend([rest.to_vec(), path[..path.len() - 1].to_vec()]);
    }
    all
}

#[test]
fn every_root_up_to_1025() {
    let rows = Rows::new(LARGEST);
    let mut ct = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    assert_eq!(rows.root(0), Root::EMPTY);
    for size in 1..=LARGEST {
        ct.push(leaf(size - 1));
        let root = rows.root(size).hash();
        assert_eq!(root.as_bytes()[..], ct.root().as_bytes()[..], "size {size}");
        assert_eq!(*root.as_bytes(), tlog_tiles::tree_hash(size, &rows.reader()).unwrap().0, "size {size}");
    }
}

#[test]
fn inclusion_in_every_size_up_to_1025() {
    let rows = Rows::new(LARGEST);
    for size in 1..=LARGEST {
        let root = rows.root(size);
        let whole = size <= 160 || size.is_power_of_two() || (size - 1).is_power_of_two();
        let step = if whole { 1 } else { 7 };
        // The offset moves with the size, and the last leaf, the odd one of its tree, is always in.
        for index in (size % step..size).step_by(step as usize).chain([size - 1]) {
            let path = prove_inclusion(size, index, &|level, index| rows.hash(level, index)).unwrap();
            let tlog = tlog_tiles::prove_record(size, index, &rows.reader()).unwrap();
            assert_eq!(path, oracles::from_tlog(&tlog), "leaf {index} of {size}");
            check_inclusion(&root, index, &leaf(index), &path, Some(true));
        }
    }
}

#[test]
fn consistency_up_to_1025() {
    let rows = Rows::new(LARGEST);
    for new_size in 1..=LARGEST {
        let new = rows.root(new_size);
        let whole = new_size <= 72 || new_size >= LARGEST - 1;
        for old_size in 1..=new_size {
            let sampled = old_size.is_power_of_two() || (old_size * 31 + new_size).is_multiple_of(47);
            if !whole && !sampled && old_size != new_size && old_size + 1 != new_size {
                continue;
            }
            let path =
                prove_consistency(old_size, new_size, &|level, index| rows.hash(level, index)).unwrap();
            let tlog = tlog_tiles::prove_tree(new_size, old_size, &rows.reader()).unwrap();
            assert_eq!(path, oracles::from_tlog(&tlog), "{old_size} to {new_size}");
            check_consistency(&rows.root(old_size), &new, &path, Some(true));
        }
    }
}

#[test]
fn wrong_inclusion_proofs() {
    let rows = Rows::new(LARGEST);
    for size in [1, 2, 3, 5, 7, 8, 9, 33, 64, 100, 255, 256, 257, 1000, 1025] {
        let root = rows.root(size);
        for index in [0, 1, size / 3, size / 2, size - 1].into_iter().filter(|index| *index < size) {
            let path = prove_inclusion(size, index, &|level, index| rows.hash(level, index)).unwrap();
            for path in spoiled(&path) {
                check_inclusion(&root, index, &leaf(index), &path, Some(false));
            }
            check_inclusion(&root, index, b"another leaf", &path, Some(false));
            check_inclusion(&root, index + 1, &leaf(index), &path, Some(false));
            check_inclusion(&root, size, &leaf(index), &path, Some(false));
            check_inclusion(&root, index ^ (1 << 62), &leaf(index), &path, Some(false));
            // A proof does not always bind the size, so here the verdict is only compared. The pair of size
            // and root is what a checkpoint signs.
            for other in [size - 1, size + 1, size * 2].into_iter().filter(|other| *other > 0) {
                let root = Root::new(other, root.hash()).unwrap();
                check_inclusion(&root, index, &leaf(index), &path, None);
            }
        }
    }
}

#[test]
fn wrong_consistency_proofs() {
    let rows = Rows::new(LARGEST);
    for (old_size, new_size) in
        [(1, 2), (2, 3), (3, 4), (4, 7), (6, 8), (7, 8), (64, 100), (100, 256), (999, 1025)]
    {
        let (old, new) = (rows.root(old_size), rows.root(new_size));
        let path = prove_consistency(old_size, new_size, &|level, index| rows.hash(level, index)).unwrap();
        for path in spoiled(&path) {
            check_consistency(&old, &new, &path, Some(false));
        }
        let other = Root::new(old_size, EMPTY_ROOT).unwrap();
        check_consistency(&other, &new, &path, Some(false));
        check_consistency(&old, &Root::new(new_size, EMPTY_ROOT).unwrap(), &path, Some(false));
        check_consistency(&new, &old, &path, Some(false));
        assert!(verify_consistency(&old, &Root::new(old_size, EMPTY_ROOT).unwrap(), &[]).is_err());
        assert!(
            verify_consistency(&Root::EMPTY, &new, &path).is_err(),
            "from the empty tree no hash is needed"
        );
        assert!(verify_consistency(&Root::EMPTY, &new, &[]).is_ok());
    }
}

/// A tree of any size whose leaves are all alike but one, so that any subtree's hash takes 64 steps.
struct Sparse {
    marked: u64,
    plain: Vec<Hash>,
    special: Vec<Hash>,
}

const PLAIN: &[u8] = b"plain";
const MARKED: &[u8] = b"marked";

impl Sparse {
    fn new(marked: u64) -> Sparse {
        let (mut plain, mut special) = (vec![leaf_hash(PLAIN)], vec![leaf_hash(MARKED)]);
        for level in 0..63 {
            let (below, above) = (plain[level], special[level]);
            plain.push(node_hash(&below, &below));
            let right = marked >> level & 1 == 1;
            special.push(if right { node_hash(&below, &above) } else { node_hash(&above, &below) });
        }
        Sparse { marked, plain, special }
    }

    fn hash(&self, level: u8, index: u64) -> Result<Hash, ProveError> {
        let row = if index == self.marked >> level { &self.special } else { &self.plain };
        Ok(row[usize::from(level)])
    }

    fn root(&self, size: u64) -> Root {
        Root::new(size, root_hash(size, &|level, index| self.hash(level, index)).unwrap()).unwrap()
    }
}

fn random_sizes() -> impl Strategy<Value = (u64, u64)> {
    (0_u32..=40).prop_flat_map(|bits| 1_u64..=1 << bits).prop_flat_map(|new| (1..=new, Just(new)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn random_sizes_up_to_2_to_the_40((old_size, new_size) in random_sizes()) {
        // The last leaf of the old tree is the one that differs: its way is at the edge of both.
        let tree = Sparse::new(old_size - 1);
        let (old, new) = (tree.root(old_size), tree.root(new_size));
        let reader = oracles::Reader(|level, index| *tree.hash(level, index).unwrap().as_bytes());
        prop_assert_eq!(*new.hash().as_bytes(), tlog_tiles::tree_hash(new_size, &reader).unwrap().0);

        let path = prove_inclusion(new_size, old_size - 1, &|level, index| tree.hash(level, index)).unwrap();
        let tlog = tlog_tiles::prove_record(new_size, old_size - 1, &reader).unwrap();
        prop_assert_eq!(&path, &oracles::from_tlog(&tlog));
        check_inclusion(&new, old_size - 1, MARKED, &path, Some(true));
        check_inclusion(&new, old_size - 1, PLAIN, &path, Some(false));
        for path in spoiled(&path) {
            check_inclusion(&new, old_size - 1, MARKED, &path, Some(false));
        }

        let path = prove_consistency(old_size, new_size, &|level, index| tree.hash(level, index)).unwrap();
        let tlog = tlog_tiles::prove_tree(new_size, old_size, &reader).unwrap();
        prop_assert_eq!(&path, &oracles::from_tlog(&tlog));
        check_consistency(&old, &new, &path, Some(true));
        for path in spoiled(&path) {
            check_consistency(&old, &new, &path, Some(false));
        }
    }
}

/// The limit itself, which the oracles' own arithmetic does not reach.
#[test]
fn the_largest_tree() {
    let size = 1 << 63;
    for marked in [0, 1, size / 2, size - 1] {
        let tree = Sparse::new(marked);
        let path = prove_inclusion(size, marked, &|level, index| tree.hash(level, index)).unwrap();
        assert_eq!(path.len(), 63);
        assert_eq!(verify_inclusion(&tree.root(size), marked, &leaf_hash(MARKED), &path), Ok(()));
        for old_size in [1, 3, size / 2, size - 1] {
            let path = prove_consistency(old_size, size, &|level, index| tree.hash(level, index)).unwrap();
            assert_eq!(verify_consistency(&tree.root(old_size), &tree.root(size), &path), Ok(()));
        }
    }
}
