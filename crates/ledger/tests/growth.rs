//! A tree grown in batches is the tree grown at once; its tiles alone give every proof; a failed commit harms nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod oracles;

use std::collections::BTreeMap;

use chancery_ledger::growth::{GrowthError, LoadError};
use chancery_ledger::tile::{
    InclusionProver, TileKind, TileReadError, prove_consistency_from_tiles, prove_inclusion_from_tiles,
    root_from_tiles, tiles_between,
};
use chancery_ledger::tree::{verify_consistency, verify_inclusion};
use chancery_ledger::{Edge, Hash, Root, TilePath, Tree, leaf_hash, node_hash};
use proptest::prelude::*;

type Store = BTreeMap<TilePath, Vec<u8>>;

fn leaves(from: u64, to: u64) -> Vec<Vec<u8>> {
    (from..to).map(|index| format!("leaf {index}").into_bytes()).collect()
}

/// Grows a tree through the given sizes, storing every tile; checks each step on the way.
fn grow(sizes: &[u64]) -> (Tree, Store, Vec<Root>) {
    let (mut tree, mut store, mut roots) = (Tree::empty(), Store::new(), vec![Root::EMPTY]);
    for size in sizes {
        let (next, growth) = tree.append(&leaves(tree.size(), *size)).unwrap();
        let paths: Vec<_> = growth.tiles.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, tiles_between(tree.size(), *size));
        assert_eq!(growth.new_size(), *size);
        assert_eq!(growth.root, next.root());
        let hashes: Vec<_> = leaves(tree.size(), *size).iter().map(|leaf| leaf_hash(leaf)).collect();
        assert_eq!(growth.leaf_hashes, hashes);
        let (edge, of_hashes) = Edge::from(tree.clone()).append(&hashes).unwrap();
        assert_eq!(
            (&edge, edge.root()),
            (&Edge::from(next.clone()), growth.root),
            "hashes alone give the same"
        );
        let is_bundle = |(path, _): &&(TilePath, Vec<u8>)| path.kind() == TileKind::Entries;
        let without_bundles: Vec<_> = growth.tiles.iter().filter(|tile| !is_bundle(tile)).cloned().collect();
        assert_eq!((of_hashes.root, of_hashes.tiles), (growth.root, without_bundles));
        store.extend(growth.tiles);
        roots.push(growth.root);
        tree = next;
    }
    (tree, store, roots)
}

/// What a store answers that keeps only the widest version of each tile.
fn widest(store: &Store) -> impl Fn(&TilePath) -> Option<Vec<u8>> + '_ {
    |path| store.range(*path..=path.full()).next_back().map(|(_, bytes)| bytes.clone())
}

/// The root by the definition in RFC 6962 section 2.1, recursion and all.
fn defined_root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => chancery_ledger::tree::EMPTY_ROOT,
        [leaf] => leaf_hash(leaf),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&defined_root(left), &defined_root(right))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn batches_do_not_matter(batches in prop::collection::vec(prop_oneof![0_u64..5, 0_u64..300, 250_u64..260], 0..12)) {
        let sizes: Vec<u64> = batches.iter().scan(0, |size, batch| { *size += batch; Some(*size) }).collect();
        let last = sizes.last().copied().unwrap_or(0);
        let (tree, store, roots) = grow(&sizes);
        let (at_once, _) = Tree::empty().append(&leaves(0, last)).unwrap();
        prop_assert_eq!(&tree, &at_once);
        prop_assert_eq!(tree.root().hash(), defined_root(&leaves(0, last)));
        for root in &roots {
            // Each published size can be restored, from its own tiles or from wider ones.
            let restored = Tree::load(root, |path| store.get(path).cloned()).unwrap();
            prop_assert_eq!(restored.root(), *root);
            prop_assert_eq!(&Tree::load(root, widest(&store)).unwrap(), &restored);
            let (regrown, _) = restored.append(&leaves(root.size(), last)).unwrap();
            prop_assert_eq!(&regrown, &tree);
        }
    }

    #[test]
    fn tiles_hold_what_tlog_tiles_would_put_there(size in 1_u64..1500, old in 0_u64..1500) {
        let old = old.min(size);
        let (_, store, _) = grow(&[old, size]);
        let hashes: Vec<_> = leaves(0, size).iter().map(|leaf| leaf_hash(leaf)).collect();
        let subtree = |level: u8, index: u64| {
            let leaves = leaves(index << level, (index + 1) << level);
            *if level == 0 { hashes[index as usize] } else { defined_root(&leaves) }.as_bytes()
        };
        for tile in tlog_tiles::Tile::new_tiles(8, old, size) {
            let kind = TileKind::Hashes { level: tile.level() };
            let path = TilePath::new(kind, tile.level_index(), tile.width() as u16).unwrap();
            prop_assert_eq!(&store[&path], &tile.read_data(&oracles::Reader(subtree)).unwrap());
        }
    }
}

/// Gives the prover each tile that it misses, once.
fn proved(prover: &mut InclusionProver, index: u64, store: &Store) -> Vec<Hash> {
    let mut given = Vec::new();
    loop {
        match prover.prove(index) {
            Err(TileReadError::Missing(path)) => {
                assert!(!given.contains(&path), "{path} was asked for twice");
                prover.give(path, &store[&path]).unwrap();
                given.push(path);
            }
            path => return path.unwrap(),
        }
    }
}

#[test]
fn every_proof_comes_from_tiles_alone() {
    for sizes in [&[1][..], &[2, 3], &[255, 256, 257], &[100, 511, 512, 513], &[300, 1000], &[65_530, 66_000]]
    {
        let (tree, store, roots) = grow(sizes);
        let step = if tree.size() > 2000 { 997 } else { 1 };
        for root in &roots {
            let exact = |path: &TilePath| store.get(path).cloned();
            assert_eq!(root_from_tiles(root.size(), exact), Ok(root.hash()));
            assert_eq!(root_from_tiles(root.size(), widest(&store)), Ok(root.hash()));
            let mut prover = InclusionProver::new(root.size());
            for index in (0..root.size()).step_by(step) {
                let path = prove_inclusion_from_tiles(root.size(), index, exact).unwrap();
                assert_eq!(proved(&mut prover, index, &store), path);
                let leaf = leaf_hash(&leaves(index, index + 1)[0]);
                assert_eq!(verify_inclusion(root, index, &leaf, &path), Ok(()));
            }
            let path = prove_consistency_from_tiles(root.size(), tree.size(), widest(&store)).unwrap();
            assert_eq!(verify_consistency(root, &tree.root(), &path), Ok(()));
        }
    }
}

#[test]
fn a_failed_commit_harms_nothing() {
    let (tree, mut store, roots) = grow(&[300]);
    let before = tree.clone();
    // Staged and never committed: other leaves than those that win in the end.
    let (_, lost) = tree.append(&vec![b"lost".to_vec(); 400]).unwrap();
    assert_eq!(tree, before);
    let (_, won) = tree.append(&leaves(300, 400)).unwrap();
    assert_eq!(tree.append(&leaves(300, 400)).unwrap().1, won, "the same append gives the same bytes");
    store.extend(lost.tiles);
    assert_eq!(Tree::load(&roots[1], widest(&store)).unwrap(), before);
    assert_eq!(tree.append::<Vec<u8>>(&[]).unwrap().1.tiles, []);
}

#[test]
fn a_leaf_too_long_is_refused() {
    let (tree, _, _) = grow(&[10]);
    let refused = tree.append(&[vec![0; 4096], vec![0; 4097]]);
    assert!(matches!(refused, Err(GrowthError::Entry(_))));
}

/// Restores a tree of 70 000 leaves after one change to its store; `None` where that does not matter.
fn check_load(
    store: &Store,
    root: &Root,
    change: impl Fn(&mut Store),
    expected: impl Fn(&LoadError) -> bool,
) {
    let mut changed = store.clone();
    change(&mut changed);
    let error = Tree::load(root, |path| changed.get(path).cloned()).expect_err("the change matters");
    assert!(expected(&error), "{error}");
}

#[test]
fn damaged_stores_are_refused() {
    let (tree, store, roots) = grow(&[70_000]);
    let root = &roots[1];
    assert_eq!(Tree::load(root, |path| store.get(path).cloned()).unwrap(), tree);
    let path = |text: &str| text.parse::<TilePath>().unwrap();
    for edge in ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"] {
        let edge = path(edge);
        check_load(
            &store,
            root,
            |store| drop(store.remove(&edge)),
            |error| *error == LoadError::Missing(edge),
        );
        let flip = |store: &mut Store| store.get_mut(&edge).unwrap()[31] ^= 1;
        check_load(&store, root, flip, |error| matches!(error, LoadError::Root { .. }));
        let cut = |store: &mut Store| store.get_mut(&edge).unwrap().truncate(31);
        check_load(&store, root, cut, |error| matches!(error, LoadError::Damaged { .. }));
        let long = |store: &mut Store| store.get_mut(&edge).unwrap().extend([0; 256 * 32]);
        check_load(&store, root, long, |error| matches!(error, LoadError::Damaged { .. }));
    }
    let bundle = path("tile/entries/273.p/112");
    check_load(
        &store,
        root,
        |store| drop(store.remove(&bundle)),
        |error| *error == LoadError::Missing(bundle),
    );
    let flip = |store: &mut Store| store.get_mut(&bundle).unwrap()[2] ^= 1;
    let entry = LoadError::Entry { path: bundle, index: 69_888 };
    check_load(&store, root, flip, |error| *error == entry);
    let cut = |store: &mut Store| store.get_mut(&bundle).unwrap().truncate(1);
    check_load(&store, root, cut, |error| matches!(error, LoadError::DamagedBundle { .. }));
    let missing = |store: &mut Store| store.get_mut(&bundle).unwrap().truncate(2 + "leaf 69888".len());
    check_load(&store, root, missing, |error| matches!(error, LoadError::Entry { index: 69_889, .. }));
    let other = Root::new(70_000, leaf_hash(b"other")).unwrap();
    check_load(&store, &other, |_| (), |error| matches!(error, LoadError::Root { .. }));
}

#[test]
fn missing_tiles_are_named() {
    let (_, store, _) = grow(&[70_000]);
    let gone: TilePath = "tile/0/007".parse().unwrap();
    let tiles = |path: &TilePath| if *path == gone { None } else { store.get(path).cloned() };
    assert_eq!(prove_inclusion_from_tiles(70_000, 7 * 256, tiles), Err(TileReadError::Missing(gone)));
    assert!(prove_inclusion_from_tiles(70_000, 8 * 256, tiles).is_ok(), "the level above stands for it");
    let short = |path: &TilePath| store.get(path).map(|bytes| bytes[1..].to_vec());
    assert!(matches!(prove_inclusion_from_tiles(70_000, 0, short), Err(TileReadError::Damaged { .. })));
    assert!(prove_inclusion_from_tiles(70_000, 70_000, tiles).is_err());
    let refused = InclusionProver::new(70_000).give(gone, &store[&gone][1..]).unwrap_err();
    assert!(matches!(refused, TileReadError::Damaged { .. }), "{refused}");
    assert!(prove_consistency_from_tiles(70_001, 70_000, tiles).is_err());
}
