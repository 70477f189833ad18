//! Containers, trust directories and loose files that a second verifier has to judge as this one does. With
//! `CHANCERY_CORPUS` set, each is kept with its verdict (`chancery_testkit::corpus`); without, these tests say that
//! every one of them is judged as its row says.

mod verification;

use std::io::{Cursor, Write};

use chancery_canonical::Canonical;
use chancery_domain::document::{DecisionKind, Suspicious};
use chancery_domain::event::{DecisionRefused, EndedBy, NUMBER_MISMATCH, RequestEvent};
use chancery_evidence::bundle::{BundleFiles, layout, pack};
use chancery_evidence::trust::{TrustDirectory, TrustDocument};
use chancery_evidence::verify::{Options, verify_zip};
use chancery_testkit::corpus;
use chancery_testkit::scenario::{Scenario, certificate_reader};
use serde_json::{Value, json};
use verification::resealed;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

#[track_caller]
fn check(name: &str, zip: &[u8], trust: &TrustDirectory, failed: &[&str]) {
    corpus::keep_zip(name, zip, trust);
    let options = Options { certificates: Some(&certificate_reader), ..Options::default() };
    let verification = verify_zip(zip, trust, &options);
    assert_eq!(verification.failed(), failed, "{name}: {}", verification.to_text());
}

/// The same files as another packer writes them.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
fn packed(files: &BundleFiles, compression: CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        zip.start_file(path, SimpleFileOptions::default().compression_method(compression)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Where the directory of a zip begins.
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]
fn directory(zip: &[u8]) -> usize {
    let at = zip.len() - 6;
    u32::from_le_bytes(zip[at..at + 4].try_into().unwrap()) as usize
}

/// Changes one byte of a zip.
#[expect(clippy::indexing_slicing, reason = "test code fails by panicking")]
fn poked(zip: &[u8], at: usize, with: u8) -> Vec<u8> {
    let mut changed = zip.to_vec();
    changed[at] ^= with;
    changed
}

#[test]
fn containers() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let stored = pack(&files).unwrap();
    let deflated = packed(&files, CompressionMethod::Deflated);
    check("container-stored", &stored, &trust, &[]);
    check("container-stored-by-another", &packed(&files, CompressionMethod::Stored), &trust, &[]);
    check("container-deflated", &deflated, &trust, &[]);
    let refused = |name: &str, zip: &[u8]| check(name, zip, &trust, &["container"]);
    refused("container-empty", b"");
    refused("container-no-zip", b"PK");
    refused("container-text", b"This is no zip, however long it may be: it does not end like one.");
    refused("container-front", &[b"#!".as_slice(), &stored].concat());
    refused("container-behind", &[stored.as_slice(), b"\n"].concat());
    refused("container-half", &stored[..stored.len() / 2]);
    // Local headers: signature, version, flags, method, time, date, checksum, sizes, length of name, of extra, name.
    for at in [0, 4, 6, 8, 10, 12, 14, 18, 22, 26, 28, 30] {
        refused("container-local-header", &poked(&stored, at, 1));
    }
    // The directory's: also who made it, comments, disk, attributes, place.
    let central = directory(&stored);
    for at in [0, 6, 8, 10, 12, 14, 16, 20, 24, 28, 30, 32, 34, 42, 46] {
        refused("container-directory", &poked(&stored, central + at, 1));
    }
    refused("container-folder", &poked(&stored, central + 38, 0x10));
    refused("container-link", &poked(&stored, central + 41, 0xa0));
    // The end: disks, counts, size, place, comment.
    let end = stored.len() - 22;
    for at in [0, 4, 6, 8, 10, 12, 16, 20] {
        refused("container-end", &poked(&stored, end + at, 1));
    }
    refused("container-count", &poked(&poked(&stored, end + 8, 1), end + 10, 1));
    // Inside of the deflated data of the first file, whose name is `README.txt`.
    for at in [45, 60, 75] {
        refused("container-deflated-data", &poked(&deflated, at, 0x40));
    }
}

/// A zip with one deflated file, whose stream is given.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
fn one_stream(stream: &[u8], content: &[u8]) -> Vec<u8> {
    let checksum = {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        crc.sum()
    };
    let mut shared: Vec<u8> = [20_u16, 0, 8, 0, 0x21].into_iter().flat_map(u16::to_le_bytes).collect();
    for number in [checksum, u32::try_from(stream.len()).unwrap(), u32::try_from(content.len()).unwrap()] {
        shared.extend(number.to_le_bytes());
    }
    shared.extend([1, 0, 0, 0]);
    let mut zip = [b"PK\x03\x04".as_slice(), &shared, b"a", stream].concat();
    let start = u32::try_from(zip.len()).unwrap();
    zip.extend([b"PK\x01\x02\x14\0".as_slice(), &shared, &[0; 14], b"a"].concat());
    zip.extend(
        [b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0".as_slice(), &start.to_le_bytes(), &[0; 2]].concat(),
    );
    zip
}

#[test]
fn streams_inside_of_containers() {
    let trust = Scenario::new().trust();
    let deflate = |content: &[u8]| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    let text = b"one file among others, one file among others";
    let stream = deflate(text);
    // Good as a container; that it is no evidence is another check's business.
    check("stream-good", &one_stream(&stream, text), &trust, &["manifest"]);
    check("stream-empty", &one_stream(&deflate(b""), b""), &trust, &["manifest"]);
    let bomb = vec![0; 1024 * 1024];
    for (name, zip) in [
        ("stream-goes-on", one_stream(&[stream.as_slice(), b"\0"].concat(), text)),
        ("stream-ends-early", one_stream(&stream[..stream.len() - 1], text)),
        ("stream-shorter", one_stream(&deflate(&text[..20]), text)),
        ("stream-longer", one_stream(&deflate(&text.repeat(2)), text)),
        ("stream-of-another", one_stream(&deflate(&text.map(|byte| byte ^ 1)), text)),
        ("stream-none", one_stream(b"", text)),
        ("stream-bomb", one_stream(&deflate(&bomb), &bomb)),
    ] {
        check(name, &zip, &trust, &["container"]);
    }
}

/// One change to the files of a bundle, made to fit its manifest.
type Change = dyn Fn(&mut BundleFiles);

#[test]
fn files_that_say_something_else() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let first = |prefix: &str| files.keys().find(|path| path.starts_with(prefix)).unwrap().clone();
    let (credential, disclosure) = (first(layout::CREDENTIAL_PREFIX), first("disclosures/"));
    let (attestation, person) = (first("attestations/"), first("identity/"));
    let last_proof = files.keys().rfind(|path| path.starts_with("proofs/")).unwrap().clone();
    let spaced = |path: &str| {
        let path = path.to_owned();
        move |files: &mut BundleFiles| files.get_mut(&path).unwrap().push(b'\n')
    };
    let gone = |path: &str| {
        let path = path.to_owned();
        move |files: &mut BundleFiles| drop(files.remove(&path))
    };
    let set = |path: &str, value: Value| {
        let path = path.to_owned();
        move |files: &mut BundleFiles| {
            files.insert(path.clone(), Canonical::of(&value).unwrap().as_bytes().to_vec());
        }
    };
    let rows: Vec<(&str, Box<Change>, &[&str])> = vec![
        ("files-untouched", Box::new(|_| {}), &[]),
        ("files-request-spelled-otherwise", Box::new(spaced(layout::REQUEST)), &["request-digest"]),
        (
            "files-verdict-spelled-otherwise",
            Box::new(spaced(layout::VERDICT)),
            &["verdict-digest", "lease-intended", "disclosures"],
        ),
        ("files-summary-spelled-otherwise", Box::new(spaced(&person)), &["manifest"]),
        ("files-attestation-spelled-otherwise", Box::new(spaced(&attestation)), &["attestation-log-entry"]),
        ("files-checkpoint-cut", Box::new(spaced(layout::CHECKPOINT)), &["checkpoint-signature"]),
        (
            "files-proof-cut",
            Box::new(spaced(&last_proof)),
            &["leaf-inclusion", "stream-continuity", "attestation-log-entry"],
        ),
        ("files-credential-changed", Box::new(spaced(&credential)), &["lease-intended"]),
        ("files-credential-gone", Box::new(gone(&credential)), &[]),
        ("files-credential-of-nobody", Box::new(set("credentials/x.txt", json!({}))), &["lease-intended"]),
        ("files-disclosures-empty", Box::new(set(&disclosure, json!([]))), &[]),
        (
            "files-disclosure-weak",
            Box::new(set(&disclosure, json!(["WyJzYWx0IiwiYSIsMV0"]))),
            &["disclosures"],
        ),
        (
            "files-disclosures-of-nothing",
            Box::new(set("disclosures/99.json", json!([]))),
            &["manifest", "disclosures"],
        ),
        (
            "files-more-of-policy",
            Box::new(set("policy/data.json", json!({}))),
            &["policy-digest", "lease-intended"],
        ),
        (
            "files-registration-of-nobody",
            Box::new(set("registrations/x.json", json!({}))),
            &["passkey-attestation"],
        ),
        ("files-unknown", Box::new(set("notes.json", json!({}))), &["manifest"]),
        ("files-report", Box::new(set(layout::REPORT, json!("not evidence"))), &[]),
    ];
    for (name, change, failed) in rows {
        let mut changed = files.clone();
        change(&mut changed);
        check(name, &pack(&resealed(changed)).unwrap(), &trust, failed);
    }
}

#[test]
fn trust_directories() {
    let mut scenario = Scenario::honest();
    let zip = pack(&scenario.bundle()).unwrap();
    let honest = scenario.trust_document.clone();
    let mut row = |name: &str, change: &dyn Fn(&mut TrustDocument), failed: &[&str]| {
        scenario.trust_document = honest.clone();
        change(&mut scenario.trust_document);
        check(name, &zip, &scenario.trust(), failed);
    };
    let floor = |change: fn(&mut chancery_evidence::trust::Floor)| {
        move |document: &mut TrustDocument| document.floors.values_mut().for_each(change)
    };
    row("trust-honest", &|_| {}, &[]);
    row("trust-floor-approvers", &floor(|floor| floor.minimum_approvers = 3), &["floor"]);
    row("trust-floor-seconds", &floor(|floor| floor.maximum_seconds = 299), &["floor"]);
    row("trust-owners", &|document| document.policy.owners_needed = 9, &[]);
    row("trust-engines", &|document| document.engines.insert(0, "another".to_owned()), &[]);
    row("trust-authority", &|document| document.issuers.clear(), &["lease-intended"]);
    row(
        "trust-origins",
        &|document| document.origins = vec!["https://other.chancery.test".to_owned()],
        &[
            "identity-chain",
            "requester-signature",
            "verdict-digest",
            "decision-signatures",
            "quorum",
            "attestation-content",
        ],
    );
}

#[test]
fn wrong_digits_and_reports() {
    let person = |scenario: &Scenario, name: &str| scenario.world.id(name);
    // So many wrong digits end a request, in the name of somebody who gave them, and no fewer.
    for (wrong, by, failed) in
        [(3, "sam", &[] as &[&str]), (2, "sam", &["stream-lifecycle"]), (3, "sue", &["stream-lifecycle"])]
    {
        let mut scenario = Scenario::new();
        scenario.submit();
        for _ in 0..wrong {
            let refused =
                DecisionRefused { person: person(&scenario, "sam"), code: NUMBER_MISMATCH.to_owned() };
            scenario.record(RequestEvent::DecisionRefused(refused));
        }
        let ended = EndedBy { person: person(&scenario, by) };
        scenario.record(RequestEvent::Mismatched(ended));
        check("digits", &pack(&scenario.bundle()).unwrap(), &scenario.trust(), failed);
    }
    // Only a rejection reports.
    for (kind, failed) in
        [(DecisionKind::Reject, &[] as &[&str]), (DecisionKind::Approve, &["decision-subject"])]
    {
        let mut scenario = Scenario::new();
        scenario.submit();
        let mut document = scenario.offer("sam", kind);
        document.suspicious = Some(Suspicious);
        let recorded = scenario.world.sign_decision("sam", &document);
        scenario.record(RequestEvent::DecisionRecorded(recorded));
        if kind == DecisionKind::Reject {
            let ended = EndedBy { person: person(&scenario, "sam") };
            scenario.record(RequestEvent::Rejected(ended));
        }
        check("report", &pack(&scenario.bundle()).unwrap(), &scenario.trust(), failed);
    }
}
