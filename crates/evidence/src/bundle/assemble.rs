//! Putting a bundle together from what a server stores. Nothing is checked here beyond what does not fit
//! together at all: whoever exports runs [`crate::verify::verify`] over the result.

use std::collections::BTreeMap;

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::id::{LeaseId, PersonId, RequestId};
use chancery_ledger::checkpoint::CheckpointError;
use chancery_ledger::{Checkpoint, LogProof, VerifierKey};

use super::manifest::ManifestType;
use super::{BundleFiles, Manifest, README, layout};
use crate::dsse::Envelope;
use crate::public_key::P256PublicKey;
use crate::sigstore::{Bundle, LogInclusion, SigstoreError};

/// A leaf with the proof of it, all proofs under one checkpoint.
#[derive(Clone, Debug)]
pub struct ProvedLeaf {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its proof.
    pub proof: LogProof,
    /// Clear values beside it.
    pub disclosures: Vec<Disclosure>,
    /// The envelope, when it is the leaf of an attestation.
    pub envelope: Option<(Envelope, P256PublicKey)>,
}

/// A verdict with its input.
#[derive(Clone, Debug)]
pub struct JudgedDocuments {
    /// The verdict.
    pub verdict: Canonical,
    /// What it was computed from.
    pub input: Canonical,
    /// Clear values of the input.
    pub disclosures: Vec<Disclosure>,
}

/// Everything that a bundle is made of.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// Name of the log.
    pub origin: String,
    /// Its key.
    pub log_key: &'a VerifierKey,
    /// The request.
    pub request: RequestId,
    /// The document of its current revision.
    pub document: Canonical,
    /// Clear values of that document.
    pub document_disclosures: Vec<Disclosure>,
    /// The verdict of the request phase.
    pub judged: Option<JudgedDocuments>,
    /// Verdicts of later phases, by the leaf that names them.
    pub later: BTreeMap<u64, JudgedDocuments>,
    /// Files of the policy bundle. A manifest is left out: its digest does not cover it.
    pub policy_files: &'a BTreeMap<String, Vec<u8>>,
    /// Every leaf, by index.
    pub leaves: BTreeMap<u64, ProvedLeaf>,
    /// Indices of the request's stream, attestations included.
    pub request_leaves: Vec<u64>,
    /// The same for each person who counts or whose signature made somebody count.
    pub identity_leaves: BTreeMap<PersonId, Vec<u64>>,
    /// The same for the policy.
    pub policy_leaves: Vec<u64>,
    /// The same for the trust root.
    pub trust_leaves: Vec<u64>,
    /// The signed checkpoint, with cosignatures: the one under which all proofs are.
    pub checkpoint: String,
    /// Public parts of credentials.
    pub credentials: BTreeMap<LeaseId, String>,
    /// Registrations of attested passkeys.
    pub registrations: Vec<Canonical>,
    /// Files of `trust/`, by path inside it.
    pub trust_files: &'a BTreeMap<String, Vec<u8>>,
}

/// Why parts do not make a bundle.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// Something has no canonical form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// An attestation does not fit its leaf.
    #[error("leaf {index}: {error}")]
    Attestation {
        /// The leaf.
        index: u64,
        /// What does not fit.
        error: SigstoreError,
    },
    /// The checkpoint under a proof is none.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// The files of the bundle, with `evidence.json` and without a report. See [`with_report`].
///
/// # Errors
/// [`AssembleError`], naming the leaf.
pub fn assemble(parts: &Parts<'_>) -> Result<BundleFiles, AssembleError> {
    let mut files = BundleFiles::new();
    let request_sha256: Sha256 = parts.document.digest();
    put(&mut files, layout::README, README.as_bytes());
    put(&mut files, layout::CHECKPOINT, parts.checkpoint.as_bytes());
    put(&mut files, layout::REQUEST, parts.document.as_bytes());
    put_disclosures(&mut files, layout::REQUEST_DISCLOSURES, &parts.document_disclosures)?;
    if let Some(judged) = &parts.judged {
        put(&mut files, layout::VERDICT, judged.verdict.as_bytes());
        put(&mut files, layout::INPUT, judged.input.as_bytes());
        put_disclosures(&mut files, layout::INPUT_DISCLOSURES, &judged.disclosures)?;
    }
    for (index, judged) in &parts.later {
        put(&mut files, &layout::verdict(*index), judged.verdict.as_bytes());
        put(&mut files, &layout::input(*index), judged.input.as_bytes());
        put_disclosures(&mut files, &layout::input_disclosures(*index), &judged.disclosures)?;
    }
    for (index, leaf) in &parts.leaves {
        put_leaf(&mut files, *index, leaf, parts.log_key)?;
    }
    for (person, leaves) in &parts.identity_leaves {
        let said = serde_json::json!({ "person": person, "leaves": leaves });
        put(&mut files, &layout::identity(person), Canonical::of(&said)?.as_bytes());
    }
    for (path, bytes) in
        parts.policy_files.iter().filter(|(path, _)| *path != chancery_policy::bundle::MANIFEST)
    {
        put(&mut files, &format!("{}{path}", layout::POLICY_PREFIX), bytes);
    }
    for (path, bytes) in parts.trust_files {
        put(&mut files, &format!("{}{path}", layout::TRUST_PREFIX), bytes);
    }
    for registration in &parts.registrations {
        put(&mut files, &layout::registration(&registration.digest()), registration.as_bytes());
    }
    for (lease, line) in &parts.credentials {
        put(&mut files, &layout::credential(lease), line.as_bytes());
    }
    manifest(parts, request_sha256).seal(&mut files)?;
    Ok(files)
}

/// Puts a report beside the evidence, and lists it.
///
/// # Errors
/// As [`Manifest::seal`]; a bundle without a readable manifest is left as it is.
pub fn with_report(mut files: BundleFiles, report: &str) -> Result<BundleFiles, JsonError> {
    put(&mut files, layout::REPORT, report.as_bytes());
    if let Ok(manifest) = Manifest::read(&files) {
        manifest.seal(&mut files)?;
    }
    Ok(files)
}

fn manifest(parts: &Parts<'_>, request_sha256: Sha256) -> Manifest {
    Manifest {
        document_type: ManifestType::V1,
        origin: parts.origin.clone(),
        request: parts.request.clone(),
        request_sha256,
        leaves: parts.request_leaves.clone(),
        identity: parts.identity_leaves.clone(),
        policy: parts.policy_leaves.clone(),
        trust: parts.trust_leaves.clone(),
        files: Vec::new(),
    }
}

fn put(files: &mut BundleFiles, path: &str, bytes: &[u8]) {
    files.insert(path.to_owned(), bytes.to_vec());
}

/// A file of disclosures, when there are any.
fn put_disclosures(files: &mut BundleFiles, path: &str, disclosures: &[Disclosure]) -> Result<(), JsonError> {
    if !disclosures.is_empty() {
        put(files, path, Canonical::of(disclosures)?.as_bytes());
    }
    Ok(())
}

fn put_leaf(
    files: &mut BundleFiles,
    index: u64,
    leaf: &ProvedLeaf,
    key: &VerifierKey,
) -> Result<(), AssembleError> {
    put(files, &layout::leaf(index), &leaf.bytes);
    put(files, &layout::proof(index), leaf.proof.to_string().as_bytes());
    put_disclosures(files, &layout::disclosures(index), &leaf.disclosures)?;
    if let Some((envelope, public_key)) = &leaf.envelope {
        let inclusion = inclusion(&leaf.proof, key)?;
        let bundle = Bundle::new(envelope.clone(), public_key, inclusion);
        let bundle = bundle.map_err(|error| AssembleError::Attestation { index, error })?;
        put(files, &layout::attestation(index), bundle.to_json()?.as_bytes());
    }
    Ok(())
}

fn inclusion(proof: &LogProof, key: &VerifierKey) -> Result<LogInclusion, CheckpointError> {
    let checkpoint = Checkpoint::parse_text(proof.checkpoint().text())?;
    Ok(LogInclusion {
        log_key_id: Sha256::from_bytes(*key.key_hash().as_bytes()),
        log_index: proof.index(),
        tree_size: checkpoint.size(),
        root_hash: Sha256::from_bytes(*checkpoint.root().hash().as_bytes()),
        hashes: proof.path().iter().map(|hash| Sha256::from_bytes(*hash.as_bytes())).collect(),
        checkpoint: proof.checkpoint().to_string(),
    })
}
