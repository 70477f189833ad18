//! Three implementations that nobody here wrote, behind one question each: is this proof right?
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code"
)]

use std::sync::Once;

use chancery_ledger::{Hash, Root};
use sha2::{Digest as _, Sha256};
use sigstore_crypto::{CryptoProvider, HashContext, SigningScheme};
use sigstore_types::{HashAlgorithm, Sha256Hash};

/// The verdicts of `tlog_tiles`, `sigstore-merkle` and `ct-merkle`, in this order.
pub type Verdicts = [bool; 3];

pub fn inclusion(root: &Root, index: u64, leaf: &[u8], path: &[Hash]) -> Verdicts {
    install();
    let leaf_hash = tlog_tiles::record_hash(leaf);
    let (size, root_bytes) = (root.size(), *root.hash().as_bytes());
    // `tlog_tiles` calls an index beyond the tree invalid input and a wrong proof an error; both are a no.
    let tlog =
        tlog_tiles::check_record(&tlog_path(path), size, tlog_tiles::Hash(root_bytes), index, leaf_hash);
    let sigstore = sigstore_merkle::verify_inclusion_proof(
        &Sha256Hash::new(leaf_hash.0),
        index,
        size,
        &sigstore_path(path),
        &Sha256Hash::new(root_bytes),
    );
    let ct_path: Vec<_> = path.iter().map(|hash| (*hash.as_bytes()).into()).collect();
    let ct = ct_merkle::RootHash::<Sha256>::new(root_bytes.into(), size).verify_inclusion(
        &leaf,
        index,
        &ct_merkle::InclusionProof::from_digests(&ct_path),
    );
    [tlog.is_ok(), sigstore.is_ok(), ct.is_ok()]
}

/// `old` must not be empty: two of the three take no such question.
pub fn consistency(old: &Root, new: &Root, path: &[Hash]) -> Verdicts {
    install();
    let (old_bytes, new_bytes) = (*old.hash().as_bytes(), *new.hash().as_bytes());
    let tlog = tlog_tiles::check_tree(
        &tlog_path(path),
        new.size(),
        tlog_tiles::Hash(new_bytes),
        old.size(),
        tlog_tiles::Hash(old_bytes),
    );
    let sigstore = sigstore_merkle::verify_consistency_proof(
        old.size(),
        new.size(),
        &sigstore_path(path),
        &Sha256Hash::new(old_bytes),
        &Sha256Hash::new(new_bytes),
    );
    let ct_path: Vec<_> = path.iter().map(|hash| (*hash.as_bytes()).into()).collect();
    let ct = ct_merkle::RootHash::<Sha256>::new(new_bytes.into(), new.size()).verify_consistency(
        &ct_merkle::RootHash::<Sha256>::new(old_bytes.into(), old.size()),
        &ct_merkle::ConsistencyProof::from_digests(&ct_path),
    );
    [tlog.is_ok(), sigstore.is_ok(), ct.is_ok()]
}

pub fn from_tlog(path: &[tlog_tiles::Hash]) -> Vec<Hash> {
    path.iter().map(|hash| Hash::from_bytes(hash.0)).collect()
}

fn tlog_path(path: &[Hash]) -> Vec<tlog_tiles::Hash> {
    path.iter().map(|hash| tlog_tiles::Hash(*hash.as_bytes())).collect()
}

fn sigstore_path(path: &[Hash]) -> Vec<Sha256Hash> {
    path.iter().map(|hash| Sha256Hash::new(*hash.as_bytes())).collect()
}

/// `tlog_tiles` reading from a closure over (level, index).
pub struct Reader<F>(pub F);

impl<F: Fn(u8, u64) -> [u8; 32]> tlog_tiles::HashReader for Reader<F> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let read = |index: &u64| {
            let (level, index) = tlog_tiles::split_stored_hash_index(*index);
            tlog_tiles::Hash((self.0)(level, index))
        };
        Ok(indexes.iter().map(read).collect())
    }
}

/// `sigstore-merkle` takes its hash function from outside; this gives it one that the crate under test does not use.
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        sigstore_crypto::install_default_provider(&Sha2Provider).expect("nobody else installs one");
    });
}

#[derive(Debug)]
struct Sha2Provider;

struct Sha2Context(Sha256);

impl HashContext for Sha2Context {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl CryptoProvider for Sha2Provider {
    fn hash(&self, algorithm: HashAlgorithm) -> sigstore_crypto::Result<Box<dyn HashContext>> {
        assert_eq!(algorithm, HashAlgorithm::Sha2256);
        Ok(Box::new(Sha2Context(Sha256::new())))
    }

    fn verify_raw(&self, _: SigningScheme, _: &[u8], _: &[u8], _: &[u8]) -> sigstore_crypto::Result<()> {
        unreachable!("only hashing is asked for")
    }

    fn verify_prehashed(
        &self,
        _: SigningScheme,
        _: &[u8],
        _: &[u8],
        _: &[u8],
    ) -> sigstore_crypto::Result<()> {
        unreachable!("only hashing is asked for")
    }
}
