//! Every byte of the evidence counts: a bundle in which one is flipped, missing, added or cut off fails, and says
//! by which check. With `CHANCERY_NIGHTLY=1` all bytes are flipped, else one in each file.

mod verification;

use chancery_evidence::bundle::{BundleFiles, Manifest, layout, pack};
use chancery_evidence::trust::TrustDirectory;
use chancery_evidence::verify::{NewerLog, Options, verify, verify_zip};
use chancery_testkit::scenario::{Scenario, read_leaf};

use verification::{examined, options, resealed};

// ---------------------------------------------------------------------------------------------- flipped bytes

/// Which check notices a changed byte once `evidence.json` was made to fit.
#[expect(clippy::panic, reason = "test code fails by panicking")]
fn inner_check(path: &str) -> &'static [&'static str] {
    match path.split('/').next().unwrap_or(path) {
        "checkpoint" => &["checkpoint-signature", "leaf-inclusion", "attestation-log-entry"],
        "request.json" => &["request-digest"],
        "verdict.json" | "verdicts" | "input.json" | "inputs" => &["verdict-digest"],
        "policy" => &["policy-digest"],
        "leaves" | "proofs" => &["leaf-inclusion"],
        "attestations" => &["attestation-log-entry", "attestation-signatures", "attestation-content"],
        "disclosures" => &["disclosures", "verdict-replay"],
        "credentials" => &["lease-intended"],
        "identity" => &["manifest"],
        "evidence.json" => &[
            "manifest",
            "file-digests",
            "trust-root",
            "stream-continuity",
            "stream-lifecycle",
            "leaf-inclusion",
            "identity-chain",
        ],
        other => panic!("no check is named for `{other}`"),
    }
}

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]
fn check_flip(files: &BundleFiles, trust: &TrustDirectory, path: &str, at: usize) {
    let mut changed = files.clone();
    changed.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
    if path != layout::MANIFEST {
        let listed = Manifest::read(&changed).unwrap();
        assert_eq!(listed.changed_files(&changed), [path], "`{path}`, byte {at}");
    }
    // Sealing anew would mend the list in the manifest itself.
    let changed = if path == layout::MANIFEST { changed } else { resealed(changed) };
    let inner = examined(&changed, trust, &options()).failed();
    let expected = inner_check(path);
    assert!(inner.iter().any(|name| expected.contains(name)), "`{path}`, byte {at}: {inner:?}");
    assert!(path == layout::MANIFEST || !inner.contains(&"file-digests"), "`{path}`, byte {at}: {inner:?}");
}

/// Spreads work over the processors.
fn spread<T: Sync>(work: &[T], check: impl Fn(&T) + Sync) {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let check = &check;
            scope.spawn(move || work.iter().skip(first).step_by(threads).for_each(check));
        }
    });
}

#[test]
fn every_flipped_byte_is_found_and_named() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let all = std::env::var("CHANCERY_NIGHTLY").is_ok_and(|value| value == "1");
    let mut flips = Vec::new();
    for (path, bytes) in files.iter().filter(|(path, _)| layout::is_evidence(path)) {
        let step = if all { 1 } else { bytes.len() };
        // Another place in each file, so that the samples together cover different kinds of bytes.
        let start =
            if all { 0 } else { (path.len() * 7919 + usize::from(path.as_bytes()[path.len() / 2])) % step };
        flips.extend((start..bytes.len()).step_by(step).map(|at| (path.as_str(), at)));
    }
    spread(&flips, |(path, at)| check_flip(&files, &trust, path, *at));
}

#[test]
fn a_flipped_byte_that_nobody_made_fit_is_found_by_its_digest() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    for path in ["request.json", "README.txt", "trust/trust.json", "policy/bundle.toml", "checkpoint"] {
        let mut changed = files.clone();
        changed.get_mut(path).unwrap()[0] ^= 1;
        assert!(examined(&changed, &trust, &options()).failed().contains(&"file-digests"), "`{path}`");
    }
}

#[test]
fn a_missing_file_is_found_even_when_it_is_not_listed() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let paths: Vec<&String> = files.keys().filter(|path| layout::is_evidence(path)).collect();
    spread(&paths, |path| {
        let mut changed = files.clone();
        changed.remove(*path);
        // Not listed either: only what may be redacted, or was public anyway, may be missing.
        let may = path.starts_with("disclosures/") || path.starts_with("credentials/");
        let strict = examined(&resealed(changed), &trust, &Options { require_replay: false, ..options() });
        assert!(may || !strict.passed(), "`{path}` can be left out");
    });
}

// ------------------------------------------------------------------------------------------------- container

#[test]
fn containers_that_hide_something_fail_by_name() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let zip = pack(&files).unwrap();
    assert!(verify_zip(&zip, &trust, &options()).passed());
    assert_eq!(verify_zip(b"PK", &trust, &options()).failed(), ["container"]);
    // `leaves/10.json` twice: the name of another leaf is overwritten with it.
    let other = format!("leaves/{}.json", scenario.size() - 1);
    let twin = format!("leaves/{}.json", scenario.size() - 2);
    let text = zip.windows(other.len()).map(|window| window == other.as_bytes());
    let places: Vec<usize> = text.enumerate().filter(|(_, hit)| *hit).map(|(at, _)| at).collect();
    let mut duplicate = zip.clone();
    for at in [places[0], *places.last().unwrap()] {
        duplicate[at..at + other.len()].copy_from_slice(twin.as_bytes());
    }
    assert_eq!(verify_zip(&duplicate, &trust, &options()).failed(), ["container"]);
    let mut unlisted = files.clone();
    unlisted.insert("leaves/999.json".to_owned(), b"{}".to_vec());
    let zip = pack(&unlisted).unwrap();
    assert_eq!(verify_zip(&zip, &trust, &options()).failed(), ["manifest"]);
    // Listed, but nothing calls for it.
    assert_eq!(verify(&resealed(unlisted), &trust, &options()).failed(), ["manifest"]);
}

// ----------------------------------------------------------------------------------------------- dropped tail

#[test]
fn a_dropped_tail_is_found_against_a_pinned_checkpoint() {
    let mut scenario = Scenario::honest();
    let lease = scenario.intend("second");
    scenario.end(&lease);
    let (full, trust) = (scenario.bundle(), scenario.trust());
    let checkpoint = scenario.checkpoint(scenario.size()).note().to_string();
    let leaf = |index| read_leaf(&scenario, index);
    let newer = NewerLog { checkpoint: checkpoint.as_bytes(), leaf: &leaf };
    let with_log = Options { newer_log: Some(&newer), ..options() };
    assert!(verify(&full, &trust, &with_log).passed());

    // The end and the revocation left out, under the very checkpoint that covers them.
    let mut cut = full.clone();
    let mut manifest = Manifest::read(&full).unwrap();
    let ended = manifest
        .leaves
        .iter()
        .rposition(|index| String::from_utf8_lossy(&full[&layout::leaf(*index)]).contains("grant.ended"));
    for index in manifest.leaves.split_off(ended.unwrap()) {
        for path in [layout::leaf(index), layout::proof(index), layout::attestation(index)] {
            cut.remove(&path);
        }
    }
    manifest.seal(&mut cut).unwrap();
    let alone = examined(&cut, &trust, &options());
    assert!(alone.passed(), "without a newer log nobody can know");
    assert!(alone.not_proved.iter().any(|said| said.contains("nothing came after")));
    assert_eq!(verify(&cut, &trust, &with_log).failed(), ["newer-log"]);

    // A log that is shorter than the bundle's, and one with another leaf in it.
    let old = scenario.checkpoint(scenario.size() - 2).note().to_string();
    let shorter = NewerLog { checkpoint: old.as_bytes(), leaf: &leaf };
    assert_eq!(
        verify(&full, &trust, &Options { newer_log: Some(&shorter), ..options() }).failed(),
        ["newer-log"]
    );
    let other = |index| if index == 2 { Some(b"{}".to_vec()) } else { read_leaf(&scenario, index) };
    let forked = NewerLog { checkpoint: checkpoint.as_bytes(), leaf: &other };
    assert_eq!(
        verify(&full, &trust, &Options { newer_log: Some(&forked), ..options() }).failed(),
        ["newer-log"]
    );
}
