//! The public Merkle test vectors of Certificate Transparency (RFC 6962 reference inputs).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use chancery_ledger::tree::{
    EMPTY_ROOT, ProveError, RootError, prove_consistency, prove_inclusion, root_hash, verify_consistency,
    verify_inclusion,
};
use chancery_ledger::{Hash, Root, leaf_hash, node_hash};

const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hash(level: u8, index: u64) -> Result<Hash, ProveError> {
    if level == 0 {
        return Ok(leaf_hash(&bytes(LEAVES[usize::try_from(index).unwrap()])));
    }
    Ok(node_hash(&hash(level - 1, 2 * index)?, &hash(level - 1, 2 * index + 1)?))
}

fn root(size: usize) -> Root {
    let hash = size.checked_sub(1).map_or(EMPTY_ROOT, |last| ROOTS[last].parse().unwrap());
    Root::new(size as u64, hash).unwrap()
}

fn hashes(hex: &[&str]) -> Vec<Hash> {
    hex.iter().map(|hex| hex.parse().unwrap()).collect()
}

#[test]
fn roots() {
    assert_eq!(root_hash(0, &hash).unwrap(), EMPTY_ROOT);
    for size in 1..=8 {
        assert_eq!(root_hash(size as u64, &hash).unwrap(), root(size).hash(), "size {size}");
    }
}

#[test]
fn inclusion_paths() {
    let check = |index: u64, size: usize, path: &[&str]| {
        let path = hashes(path);
        assert_eq!(prove_inclusion(size as u64, index, &hash).unwrap(), path, "{index} of {size}");
        let leaf = leaf_hash(&bytes(LEAVES[usize::try_from(index).unwrap()]));
        assert_eq!(verify_inclusion(&root(size), index, &leaf, &path), Ok(()), "{index} of {size}");
    };
    check(0, 1, &[]);
    check(
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    );
    check(
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    );
    check(2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]);
    check(
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    );
}

#[test]
fn consistency_paths() {
    let check = |old: usize, new: usize, path: &[&str]| {
        let path = hashes(path);
        assert_eq!(prove_consistency(old as u64, new as u64, &hash).unwrap(), path, "{old} to {new}");
        assert_eq!(verify_consistency(&root(old), &root(new), &path), Ok(()), "{old} to {new}");
    };
    check(0, 8, &[]);
    check(1, 1, &[]);
    check(
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    );
    check(
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    );
    check(
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    );
}

#[test]
fn hash_texts() {
    let hash: Hash = ROOTS[0].parse().unwrap();
    assert_eq!(hash.to_string(), ROOTS[0]);
    assert_eq!(Hash::from_base64(&hash.to_base64()).unwrap(), hash);
    assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{}\"", ROOTS[0]));
    assert_eq!(serde_json::from_str::<Hash>(&format!("\"{}\"", ROOTS[0])).unwrap(), hash);
    assert_eq!(EMPTY_ROOT.to_base64(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    let refused_hex = [
        ROOTS[0].to_uppercase(),
        ROOTS[0][..63].to_owned(),
        format!("{}00", ROOTS[0]),
        format!("{}é", &ROOTS[0][..62]),
        String::new(),
    ];
    for text in refused_hex {
        assert!(text.parse::<Hash>().is_err(), "{text}");
    }
    // No padding, a stray bit in the last character, a line break, the URL alphabet, 31 bytes, 33 bytes.
    for text in [
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert!(Hash::from_base64(text).is_err(), "{text}");
    }
}

#[test]
fn sizes_out_of_range() {
    let size = (1 << 63) + 1;
    assert_eq!(Root::new(size, EMPTY_ROOT), Err(RootError::TooLarge { size }));
    let found: Hash = ROOTS[0].parse().unwrap();
    assert_eq!(Root::new(0, found), Err(RootError::EmptyTree { found }));
    assert_eq!(root_hash(size, &hash), Err(ProveError::TooLarge { size }));
    assert_eq!(prove_inclusion(8, 8, &hash), Err(ProveError::IndexOutOfRange { index: 8, size: 8 }));
    assert_eq!(prove_consistency(8, 7, &hash), Err(ProveError::Shrinks { old_size: 8, new_size: 7 }));
    assert!(serde_json::from_str::<Root>(&format!(r#"{{"size":0,"root":"{found}"}}"#)).is_err());
    let json = serde_json::to_string(&root(3)).unwrap();
    assert_eq!(serde_json::from_str::<Root>(&json).unwrap(), root(3));
}
