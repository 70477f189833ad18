//! Which file of a bundle is where (docs/spec/evidence.md §Files).

use chancery_canonical::Sha256;
use chancery_domain::id::{LeaseId, PersonId};

/// What the bundle says of itself; the only file that it does not list.
pub const MANIFEST: &str = "evidence.json";
/// How to verify. Not evidence.
pub const README: &str = "README.txt";
/// The story for a human. Not evidence.
pub const REPORT: &str = "report.html";
/// Copy of the trust directory. Not evidence: whoever verifies brings their own.
pub const TRUST_PREFIX: &str = "trust/";
/// The request document of the current revision, in its canonical bytes.
pub const REQUEST: &str = "request.json";
/// The verdict of the request phase, in its canonical bytes.
pub const VERDICT: &str = "verdict.json";
/// What that verdict was computed from, in its canonical bytes.
pub const INPUT: &str = "input.json";
/// A signed checkpoint that covers every leaf of the bundle.
pub const CHECKPOINT: &str = "checkpoint";
/// The policy bundle as evaluated, each file under its own path.
pub const POLICY_PREFIX: &str = "policy/";
/// Public parts of credentials.
pub const CREDENTIAL_PREFIX: &str = "credentials/";
/// Registrations of attested passkeys.
pub const REGISTRATION_PREFIX: &str = "registrations/";
/// Disclosures of the request document.
pub const REQUEST_DISCLOSURES: &str = "disclosures/request.json";
/// Disclosures of the input, those of the request document inside it among them.
pub const INPUT_DISCLOSURES: &str = "disclosures/input.json";

/// Bytes of a leaf.
pub fn leaf(index: u64) -> String {
    format!("leaves/{index}.json")
}

/// Its proof, in the form of c2sp.org/tlog-proof.
pub fn proof(index: u64) -> String {
    format!("proofs/{index}.tlog-proof")
}

/// Disclosures of the `_sd` digests and `…_sha256` commitments in a leaf.
pub fn disclosures(index: u64) -> String {
    format!("disclosures/{index}.json")
}

/// The verdict that a later `request.judged` leaf names.
pub fn verdict(index: u64) -> String {
    format!("verdicts/{index}.json")
}

/// What it was computed from.
pub fn input(index: u64) -> String {
    format!("inputs/{index}.json")
}

/// Disclosures of that input.
pub fn input_disclosures(index: u64) -> String {
    format!("disclosures/input-{index}.json")
}

/// The Sigstore bundle whose `hashedrekord` leaf stands at this index.
pub fn attestation(index: u64) -> String {
    format!("attestations/{index}.sigstore.json")
}

/// The public part of a credential: for an SSH certificate, its line.
pub fn credential(lease: &LeaseId) -> String {
    format!("{CREDENTIAL_PREFIX}{lease}.txt")
}

/// The leaf indices of a person's identity events.
pub fn identity(person: &PersonId) -> String {
    format!("identity/{person}.json")
}

/// The registration of a passkey whose maker says what it is, by its digest.
pub fn registration(sha256: &Sha256) -> String {
    format!("{REGISTRATION_PREFIX}{sha256}.json")
}

/// Whether a file proves something. Everything does but the report, the readme and the copy of trust.
pub fn is_evidence(path: &str) -> bool {
    !(path == README || path == REPORT || path.starts_with(TRUST_PREFIX))
}
