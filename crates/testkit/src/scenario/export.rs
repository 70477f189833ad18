//! From the installation to its evidence.

use std::collections::BTreeMap;

use chancery_canonical::Sha256;
use chancery_domain::id::PersonId;
use chancery_domain::leaf::Stream;
use chancery_evidence::bundle::{BundleFiles, JudgedDocuments, Parts, ProvedLeaf, assemble};
use chancery_evidence::trust::TrustDirectory;
use chancery_evidence::verify::CertificateFacts;
use chancery_ledger::SignedCheckpoint;

use super::Scenario;

/// Reads what stands in for a certificate here.
///
/// # Errors
/// When it is none.
pub fn certificate_reader(text: &str) -> Result<CertificateFacts, String> {
    let canonical =
        chancery_canonical::Canonical::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let facts: CertificateFacts = canonical.decode().map_err(|error| error.to_string())?;
    Ok(CertificateFacts { line: text.to_owned(), to_be_signed_sha256: Sha256::of(text.as_bytes()), ..facts })
}

/// Bytes of a leaf of a scenario's log.
pub fn read_leaf(scenario: &Scenario, index: u64) -> Option<Vec<u8>> {
    scenario.log.leaf(index).cloned()
}

#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
impl Scenario {
    /// Number of leaves in the log.
    pub fn size(&self) -> u64 {
        self.log.size()
    }

    /// The log's signed word on its first leaves.
    pub fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        self.log.checkpoint(size, &self.world.log_key())
    }

    /// The evidence as of now.
    pub fn bundle(&self) -> BundleFiles {
        let people: Vec<String> = ["ada", "bob", "rita", "owen", "sam", "sue"].map(str::to_owned).into();
        self.bundle_with(&people.iter().map(|name| self.world.id(name)).collect::<Vec<_>>())
    }

    /// The evidence with the chains of these people only.
    pub fn bundle_with(&self, people: &[PersonId]) -> BundleFiles {
        let checkpoint = self.checkpoint(self.log.size());
        let identity_leaves: BTreeMap<PersonId, Vec<u64>> = people
            .iter()
            .map(|person| (person.clone(), self.leaves_of(person)))
            .filter(|(_, leaves)| !leaves.is_empty())
            .collect();
        let request_leaves = self.log.indices(&Stream::Request(self.document.id.clone()));
        let policy_leaves = self.log.indices(&Stream::Policy);
        let mut indices: Vec<u64> = identity_leaves
            .values()
            .flatten()
            .chain(&request_leaves)
            .chain(&policy_leaves)
            .copied()
            .collect();
        indices.sort_unstable();
        let proofs = self.log.proofs(&indices, &checkpoint);
        let log_key = self.world.log_key();
        let trust_files = TrustDirectory::render(self.trust().root()).unwrap();
        let (judged, later) = self.judged_documents();
        let parts = Parts {
            origin: self.world.log_origin.clone(),
            log_key: log_key.verifier(),
            request: self.document.id.clone(),
            document: chancery_canonical::Canonical::of(&self.document).unwrap(),
            document_disclosures: self.document_disclosures.clone(),
            judged,
            later,
            policy_files: self.engine.bundle().files(),
            leaves: indices
                .iter()
                .copied()
                .zip(proofs)
                .map(|(index, proof)| (index, self.proved(index, proof)))
                .collect(),
            request_leaves,
            identity_leaves,
            policy_leaves,
            trust_leaves: Vec::new(),
            checkpoint: checkpoint.note().to_string(),
            credentials: self.credentials.clone(),
            registrations: people.iter().filter_map(|person| self.world.registration(person)).collect(),
            trust_files: &trust_files,
        };
        assemble(&parts).unwrap()
    }

    fn proved(&self, index: u64, proof: chancery_ledger::LogProof) -> ProvedLeaf {
        let envelope = self.envelopes.get(&index).cloned();
        ProvedLeaf {
            bytes: self.log.leaf(index).unwrap().clone(),
            proof,
            disclosures: self.disclosures.get(&index).cloned().unwrap_or_default(),
            envelope: envelope.map(|envelope| (envelope, *self.world.attestor().public_key())),
        }
    }

    /// The verdict of the last request phase, and all after it.
    fn judged_documents(&self) -> (Option<JudgedDocuments>, BTreeMap<u64, JudgedDocuments>) {
        let mut first = None;
        let mut later = BTreeMap::new();
        for (index, verdict_sha256) in &self.judged_at {
            let Some((verdict, input)) = self.judged.get(verdict_sha256) else { continue };
            let documents = JudgedDocuments {
                verdict: verdict.canonical().clone(),
                input: input.document.clone(),
                disclosures: input.disclosures.clone(),
            };
            let phase = input.document.value().get("phase").and_then(|p| p.as_str().map(str::to_owned));
            if phase.as_deref() == Some("request") {
                first = Some(documents);
                later.clear();
            } else {
                later.insert(*index, documents);
            }
        }
        (first, later)
    }
}
