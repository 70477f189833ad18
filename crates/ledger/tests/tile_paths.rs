//! Tile names, bundles, and which tiles a growing tree touches.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use chancery_ledger::TilePath;
use chancery_ledger::tile::{
    BundleError, MAX_ENTRY_BYTES, TileKind, TilePathError, decode_bundle, encode_entry, tile_at,
    tiles_between,
};
use proptest::prelude::*;

fn hashes(level: u8, index: u64, width: u16) -> TilePath {
    TilePath::new(TileKind::Hashes { level }, index, width).unwrap()
}

fn entries(index: u64, width: u16) -> TilePath {
    TilePath::new(TileKind::Entries, index, width).unwrap()
}

#[test]
fn paths_read_and_write() {
    for (text, path) in [
        ("tile/0/000", hashes(0, 0, 256)),
        ("tile/0/000.p/1", hashes(0, 0, 1)),
        ("tile/7/000.p/128", hashes(7, 0, 128)),
        ("tile/63/000.p/255", hashes(63, 0, 255)),
        ("tile/0/x001/x234/067", hashes(0, 1_234_067, 256)),
        ("tile/1/x001/000.p/17", hashes(1, 1000, 17)),
        ("tile/entries/999", entries(999, 256)),
        ("tile/entries/x001/x234/067.p/8", entries(1_234_067, 8)),
        ("tile/0/x036/x028/x797/x018/x963/967", hashes(0, (1 << 55) - 1, 256)),
    ] {
        assert_eq!(text.parse(), Ok(path));
        assert_eq!(path.to_string(), text);
    }
}

#[test]
fn other_spellings_are_refused() {
    for text in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x000/x001/234",
        "tile/0/001/234",
        "tile/0/x001",
        "tile/0/x001/x234",
        "tile/0/X001/234",
        "tile/00/000",
        "tile/01/000",
        "tile/+1/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/Entries/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/0/ 00",
        "tile/0/-01",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "tile/8/0/000",
        "tile/0/x036/x028/x797/x018/x963/968",
        "tile/7/001",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(text.parse::<TilePath>().is_err(), "{text}");
    }
    assert_eq!(TilePath::new(TileKind::Entries, 0, 0), Err(TilePathError::Width { width: 0 }));
    assert_eq!(TilePath::new(TileKind::Entries, 0, 257), Err(TilePathError::Width { width: 257 }));
    let level = TileKind::Hashes { level: 64 };
    assert_eq!(TilePath::new(level, 0, 1), Err(TilePathError::Level { level: 64 }));
}

/// The example of c2sp.org/tlog-tiles, "Partial Tiles".
#[test]
fn a_tree_of_70000() {
    let all = tiles_between(0, 70_000);
    let of = |kind| all.iter().filter(|path| path.kind() == kind).collect::<Vec<_>>();
    let level_0 = of(TileKind::Hashes { level: 0 });
    assert_eq!(level_0.len(), 274);
    assert!(level_0.iter().take(273).all(|path| path.is_full()));
    assert_eq!(level_0.last().unwrap().to_string(), "tile/0/273.p/112");
    assert_eq!(of(TileKind::Hashes { level: 1 }), [&hashes(1, 0, 256), &hashes(1, 1, 17)]);
    assert_eq!(of(TileKind::Hashes { level: 2 }), [&hashes(2, 0, 1)]);
    assert_eq!(of(TileKind::Entries).len(), 274);
    assert_eq!(all.len(), 274 + 2 + 1 + 274);
    assert_eq!(tiles_between(0, 256), [entries(0, 256), hashes(0, 0, 256), hashes(1, 0, 1)]);
    assert_eq!(tiles_between(256, 257), [entries(1, 1), hashes(0, 1, 1)]);
    assert_eq!(tiles_between(5, 5), []);
    assert_eq!(tiles_between(6, 5), []);
    assert_eq!(tile_at(TileKind::Entries, 1, 256), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn touched_tiles_agree_with_tlog_tiles(bits in 0_u32..50, seed in any::<u64>(), growth in 0_u64..3000) {
        let old = seed % (1 << bits);
        let theirs = tlog_tiles::Tile::new_tiles(8, old, old + growth);
        let mut theirs: Vec<_> = theirs
            .iter()
            .map(|tile| hashes(tile.level(), tile.level_index(), u16::try_from(tile.width()).unwrap()))
            .collect();
        let bundles = theirs.iter().filter(|path| path.kind() == TileKind::Hashes { level: 0 });
        let mut all: Vec<_> = bundles.map(|path| entries(path.index(), path.width())).collect();
        all.append(&mut theirs);
        prop_assert_eq!(tiles_between(old, old + growth), all);
    }

    #[test]
    fn paths_agree_with_tlog_tiles(level in 0_u8..6, index in 0_u64..1 << 15, width in 1_u16..=256) {
        let theirs = tlog_tiles::Tile::new(8, level, index, u32::from(width), false).path();
        let ours = hashes(level, index, width).to_string();
        // Theirs has the height in front, as Go's has.
        prop_assert_eq!(theirs.replacen("tile/8/", "tile/", 1), ours);
    }

    #[test]
    fn any_text_that_parses_is_canonical(text in "tile/(entries|[0-9]{1,2})/(x?[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn bundles_read_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let mut bundle = Vec::new();
        for entry in &entries {
            encode_entry(&mut bundle, entry).unwrap();
        }
        prop_assert_eq!(decode_bundle(&bundle).unwrap(), entries);
    }
}

#[test]
fn bundles_at_their_limits() {
    let mut bundle = Vec::new();
    encode_entry(&mut bundle, &[]).unwrap();
    encode_entry(&mut bundle, b"ab").unwrap();
    assert_eq!(bundle, [0, 0, 0, 2, b'a', b'b']);
    encode_entry(&mut bundle, &[7; MAX_ENTRY_BYTES]).unwrap();
    let before = bundle.clone();
    for length in [MAX_ENTRY_BYTES + 1, 65_535, 65_536, 100_000] {
        assert_eq!(encode_entry(&mut bundle, &vec![0; length]), Err(BundleError::EntryTooLong { length }));
    }
    assert_eq!(bundle, before, "a refused entry leaves nothing behind");
    assert_eq!(decode_bundle(&[0]), Err(BundleError::CutOff { entry: 0 }));
    assert_eq!(decode_bundle(&[0, 0, 0, 2, b'a']), Err(BundleError::CutOff { entry: 1 }));
    assert_eq!(decode_bundle(&[0x10, 0x01]), Err(BundleError::EntryTooLong { length: 4097 }));
}
