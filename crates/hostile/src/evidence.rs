//! Evidence of strangers: the container, and each file of a bundle in turn.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chancery_canonical::{Canonical, Sha256};
use chancery_evidence::bundle::{
    BundleFiles, MAX_FILES, MAX_PATH_BYTES, MAX_TOTAL_BYTES, Manifest, is_plain_path, layout, pack, unpack,
};
use chancery_evidence::trust::TrustDirectory;
use chancery_evidence::verify::{CertificateFacts, Options, verify, verify_zip};

/// The evidence of one honest request (`examples/seeds`).
static HONEST: LazyLock<BundleFiles> =
    LazyLock::new(|| unpack(include_bytes!("../fixtures/honest.zip")).unwrap());

/// What it is verified with, which did not come with it.
static TRUST: LazyLock<TrustDirectory> = LazyLock::new(|| {
    let files: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../fixtures/trust.json")).unwrap();
    let files = files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    TrustDirectory::read(&files).unwrap()
});

/// Evaluating policy again is the matter of another target, and would be most of the time here.
const OPTIONS: Options<'static> = Options {
    newer_log: None,
    require_replay: false,
    without_replay: true,
    policy: None,
    certificates: Some(&certificate_facts),
    now: None,
};

/// Reads what stands in for a certificate in the scenarios of `crates/testkit`.
fn certificate_facts(text: &str) -> Result<CertificateFacts, String> {
    let canonical = Canonical::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let facts: CertificateFacts = canonical.decode().map_err(|error| error.to_string())?;
    Ok(CertificateFacts { line: text.to_owned(), to_be_signed_sha256: Sha256::of(text.as_bytes()), ..facts })
}

/// A whole zip.
pub fn evidence_zip(bytes: &[u8]) -> bool {
    let verified = verify_zip(bytes, &TRUST, &OPTIONS).passed();
    let Ok(files) = unpack(bytes) else {
        assert!(!verified, "what cannot be unpacked does not verify");
        return false;
    };
    assert!(files.len() <= MAX_FILES && files.values().map(Vec::len).sum::<usize>() <= MAX_TOTAL_BYTES);
    assert!(files.keys().all(|path| is_plain_path(path) && path.len() <= MAX_PATH_BYTES), "paths are plain");
    assert!(!verified || is_honest(&files), "only what was honest verifies");
    assert_eq!(unpack(&pack(&files).unwrap()).as_ref(), Ok(&files), "what is packed is unpacked the same");
    true
}

/// One file of the bundle replaced or added: its path, a line break, its bytes. The manifest is made to fit, so that
/// whatever reads the file gets it.
pub fn evidence_file(bytes: &[u8]) -> bool {
    let Some(at) = bytes.iter().position(|byte| *byte == b'\n') else { return false };
    let (path, content) = (bytes.get(..at).unwrap(), bytes.get(at + 1..).unwrap());
    let Ok(path) = std::str::from_utf8(path) else { return false };
    let mut files = HONEST.clone();
    files.insert(path.to_owned(), content.to_vec());
    if path != layout::MANIFEST {
        Manifest::read(&files).unwrap().seal(&mut files).unwrap();
    }
    let verification = verify(&files, &TRUST, &OPTIONS);
    let _ = verification.to_text();
    assert!(!verification.passed() || is_honest(&files), "only what was honest verifies");
    verification.passed()
}

/// Whether each file that proves something is that of the honest bundle. What was redacted may be missing.
fn is_honest(files: &BundleFiles) -> bool {
    let proving = |path: &&String| layout::is_evidence(path) && path.as_str() != layout::MANIFEST;
    let redactable =
        |path: &str| path.starts_with("disclosures/") || path.starts_with(layout::CREDENTIAL_PREFIX);
    let same = files.keys().filter(proving).all(|path| files.get(path) == HONEST.get(path));
    same && HONEST.keys().filter(proving).all(|path| files.contains_key(path) || redactable(path))
}
