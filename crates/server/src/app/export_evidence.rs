//! Everything that a stranger needs to verify one request offline, gathered from the log (docs/spec/evidence.md).

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::{Canonical, Sha256};
use chancery_domain::event::{IdentityEvent, Judged, LeaseIntended, Phase, RequestEvent, from_parts};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::signature::Authority;
use chancery_evidence::bundle::manifest::ManifestType;
use chancery_evidence::bundle::{BundleFiles, Manifest, README, layout, pack};
use chancery_evidence::dsse::Envelope;
use chancery_evidence::sigstore::{Bundle, LogInclusion};
use chancery_ledger::tile::{InclusionProver, TileReadError};
use chancery_ledger::{LogProof, SignedCheckpoint};
use chancery_store::{Store as _, StoredEvent};
use serde_json::{Value, json};

use super::App;
use super::load_request::{LoadedRequest, Placed, damaged, decider};
use super::people::disclosures;
use crate::problem::Problem;

/// Streams of one bundle.
struct Gathered {
    request: Vec<StoredEvent>,
    identity: BTreeMap<PersonId, Vec<StoredEvent>>,
    policy: Vec<StoredEvent>,
    trust: Vec<StoredEvent>,
}

impl Gathered {
    fn all(&self) -> impl Iterator<Item = &StoredEvent> {
        let identity = self.identity.values().flatten();
        self.request.iter().chain(identity).chain(&self.policy).chain(&self.trust)
    }
}

impl App {
    /// The evidence of a request as a zip.
    pub(crate) async fn export_evidence(&self, id: &RequestId) -> Result<Vec<u8>, Problem> {
        let files = self.gather_evidence(id).await?;
        pack(&files).map_err(Problem::bug)
    }

    /// The files of the evidence, every leaf proved under one and the same checkpoint.
    pub(crate) async fn gather_evidence(&self, id: &RequestId) -> Result<BundleFiles, Problem> {
        let people = self.people.now();
        let loaded = self.load_request(id, &people).await?.ok_or_else(|| Problem::not_found("request"))?;
        // INVARIANT: the checkpoint is read after the events, so it covers all of them.
        let gathered = self.gather_streams(id, &loaded).await?;
        let checkpoint = self.store.checkpoint().await?;
        let mut files = BundleFiles::new();
        self.add_documents(&loaded, &mut files).await?;
        self.add_leaves(&gathered, &checkpoint, &mut files).await?;
        self.add_registrations(&gathered, &mut files).await?;
        self.add_credentials(&loaded, &mut files)?;
        for (path, bytes) in self.policy.bundle().files() {
            // The policy's digest leaves its manifest out, so it would be evidence that nothing protects.
            if path != chancery_policy::bundle::MANIFEST {
                files.insert(format!("{}{path}", layout::POLICY_PREFIX), bytes.clone());
            }
        }
        if let Some(trusted) = self.trusted() {
            let copies = trusted.files.iter();
            files.extend(
                copies.map(|(path, bytes)| (format!("{}{path}", layout::TRUST_PREFIX), bytes.clone())),
            );
        }
        files.insert(layout::README.to_owned(), README.as_bytes().to_vec());
        files.insert(layout::CHECKPOINT.to_owned(), checkpoint.note().to_string().into_bytes());
        let manifest = manifest(&self.config.log_origin, &loaded, &gathered, &mut files)?;
        manifest.seal(&mut files).map_err(Problem::bug)?;
        Ok(files)
    }

    async fn gather_streams(&self, id: &RequestId, loaded: &LoadedRequest) -> Result<Gathered, Problem> {
        let request = self.store.stream(&Stream::Request(id.clone()), 1).await?;
        let policy = self.store.stream(&Stream::Policy, 1).await?;
        let trust = self.store.stream(&Stream::Trust, 1).await?;
        let asked = loaded.asked();
        let mut wanted = BTreeSet::from([asked.requester.clone(), asked.beneficiary.clone()]);
        wanted.extend(loaded.events.iter().filter_map(|placed| decider(&placed.event)));
        wanted.extend(policy.iter().flat_map(|event| signers(&event.leaf)));
        let mut identity: BTreeMap<PersonId, Vec<StoredEvent>> = BTreeMap::new();
        // Whoever made somebody count has to be shown as well, back to the genesis.
        while let Some(person) = wanted.pop_first() {
            if identity.contains_key(&person) {
                continue;
            }
            let events = self.store.stream(&Stream::Identity(person.clone()), 1).await?;
            wanted.extend(events.iter().flat_map(|event| signers(&event.leaf)));
            identity.insert(person, events);
        }
        Ok(Gathered { request, identity, policy, trust })
    }

    /// Request, verdicts and inputs, with what is disclosed of them.
    async fn add_documents(&self, loaded: &LoadedRequest, files: &mut BundleFiles) -> Result<(), Problem> {
        files.insert(layout::REQUEST.to_owned(), loaded.document.as_bytes().to_vec());
        let request: Vec<_> = loaded.disclosures();
        add_disclosures(files, layout::REQUEST_DISCLOSURES.to_owned(), &request)?;
        for placed in &loaded.events {
            let RequestEvent::Judged(judged) = &placed.event else { continue };
            if judged.revision == loaded.asked().revision {
                self.add_verdict(placed, judged, files).await?;
            }
        }
        Ok(())
    }

    async fn add_verdict(
        &self,
        placed: &Placed,
        judged: &Judged,
        files: &mut BundleFiles,
    ) -> Result<(), Problem> {
        let index = placed.position.leaf_index;
        let (verdict, input, shown) = match judged.phase {
            Phase::Request => {
                (layout::VERDICT.to_owned(), layout::INPUT.to_owned(), layout::INPUT_DISCLOSURES.to_owned())
            }
            Phase::Approve | Phase::Issue | Phase::Runtime | Phase::Change => {
                (layout::verdict(index), layout::input(index), layout::input_disclosures(index))
            }
        };
        for (path, sha256) in [(verdict, judged.verdict_sha256), (input, judged.input_sha256)] {
            files.insert(path, self.canonical(sha256).await?.as_bytes().to_vec());
        }
        add_disclosures(files, shown, &disclosures(placed.private.as_ref()))
    }

    async fn add_leaves(
        &self,
        gathered: &Gathered,
        checkpoint: &SignedCheckpoint,
        files: &mut BundleFiles,
    ) -> Result<(), Problem> {
        let mut prover = InclusionProver::new(checkpoint.root().size());
        for event in gathered.all() {
            let index = event.position.leaf_index;
            let proof = self.prove(index, checkpoint, &mut prover).await?;
            files.insert(layout::leaf(index), event.leaf_bytes.clone());
            files.insert(layout::proof(index), proof.to_string().into_bytes());
            // Those of a request and of a verdict belong to their documents, not to the leaf.
            if !event.leaf.kind.starts_with("request.") {
                add_disclosures(files, layout::disclosures(index), &disclosures(event.private.as_ref()))?;
            }
            let Some(attestation) = &event.attestation else { continue };
            let index = attestation.leaf_index;
            let proof = self.prove(index, checkpoint, &mut prover).await?;
            files.insert(layout::leaf(index), attestation.leaf.clone());
            files.insert(layout::proof(index), proof.to_string().into_bytes());
            let bundle = self.sigstore(&attestation.envelope, &proof, checkpoint)?;
            files.insert(layout::attestation(index), bundle.as_bytes().to_vec());
        }
        Ok(())
    }

    /// The registrations that identity events name.
    async fn add_registrations(&self, gathered: &Gathered, files: &mut BundleFiles) -> Result<(), Problem> {
        for event in gathered.identity.values().flatten() {
            let event: IdentityEvent = from_parts(&event.leaf.kind, &event.leaf.body).map_err(damaged)?;
            let Some(sha256) = event.passkey().and_then(|passkey| passkey.attestation_sha256) else {
                continue;
            };
            files.insert(layout::registration(&sha256), self.canonical(sha256).await?.as_bytes().to_vec());
        }
        Ok(())
    }

    fn sigstore(
        &self,
        envelope: &[u8],
        proof: &LogProof,
        checkpoint: &SignedCheckpoint,
    ) -> Result<Canonical, Problem> {
        let envelope = Envelope::parse(envelope).map_err(damaged)?;
        let inclusion = LogInclusion {
            log_key_id: Sha256::from_bytes(*self.log_key.key_hash().as_bytes()),
            log_index: proof.index(),
            tree_size: checkpoint.root().size(),
            root_hash: Sha256::from_bytes(*checkpoint.root().hash().as_bytes()),
            hashes: proof.path().iter().map(|hash| Sha256::from_bytes(*hash.as_bytes())).collect(),
            checkpoint: checkpoint.note().to_string(),
        };
        let bundle = Bundle::new(envelope, self.attestor.public_key(), inclusion).map_err(Problem::bug)?;
        bundle.to_json().map_err(Problem::bug)
    }

    fn add_credentials(&self, loaded: &LoadedRequest, files: &mut BundleFiles) -> Result<(), Problem> {
        for placed in &loaded.events {
            let RequestEvent::LeaseIntended(LeaseIntended { lease, .. }) = &placed.event else { continue };
            if let Some(line) = self.issuer.minted(lease).map_err(Problem::fault)? {
                files.insert(layout::credential(lease), line.into_bytes());
            }
        }
        Ok(())
    }

    /// The proof that a leaf stands in the log, under this checkpoint.
    pub(crate) async fn proof(&self, index: u64, checkpoint: &SignedCheckpoint) -> Result<LogProof, Problem> {
        let mut prover = InclusionProver::new(checkpoint.root().size());
        self.prove(index, checkpoint, &mut prover).await
    }

    /// The same for one of many: the prover says which tile it misses, again and again until it misses none.
    async fn prove(
        &self,
        index: u64,
        checkpoint: &SignedCheckpoint,
        prover: &mut InclusionProver,
    ) -> Result<LogProof, Problem> {
        loop {
            let missing = match prover.prove(index) {
                Ok(path) => {
                    return LogProof::new(index, path, checkpoint.note().clone()).map_err(Problem::bug);
                }
                Err(TileReadError::Missing(path)) => path,
                Err(error) => return Err(damaged(error).into()),
            };
            let tile = self.store.tile(missing).await?;
            let tile = tile.ok_or_else(|| damaged(format!("tile `{missing}` is missing")))?;
            prover.give(missing, &tile).map_err(damaged)?;
        }
    }
}

/// Who signed for an event, besides those it is about.
fn signers(leaf: &EventLeaf) -> Vec<PersonId> {
    let authority = leaf.body.get("authority").cloned().unwrap_or_default();
    match serde_json::from_value(authority) {
        Ok(Authority::People { signatures, .. }) => {
            signatures.into_iter().map(|signature| signature.person).collect()
        }
        Ok(Authority::Genesis | Authority::RecoveryKeys { .. }) | Err(_) => Vec::new(),
    }
}

fn add_disclosures(
    files: &mut BundleFiles,
    path: String,
    disclosed: &[chancery_canonical::Disclosure],
) -> Result<(), Problem> {
    if disclosed.is_empty() {
        return Ok(());
    }
    let canonical = Canonical::of(disclosed).map_err(Problem::bug)?;
    files.insert(path, canonical.as_bytes().to_vec());
    Ok(())
}

fn manifest(
    origin: &str,
    loaded: &LoadedRequest,
    gathered: &Gathered,
    files: &mut BundleFiles,
) -> Result<Manifest, Problem> {
    let mut identity = BTreeMap::new();
    for (person, events) in &gathered.identity {
        let leaves = indices(events);
        let said: Value = json!({ "person": person, "leaves": leaves });
        let summary = Canonical::of_value(&said).map_err(Problem::bug)?;
        files.insert(layout::identity(person), summary.as_bytes().to_vec());
        identity.insert(person.clone(), leaves);
    }
    Ok(Manifest {
        document_type: ManifestType::V1,
        origin: origin.to_owned(),
        request: loaded.id.clone(),
        request_sha256: loaded.asked().request_sha256,
        leaves: indices(&gathered.request),
        identity,
        policy: indices(&gathered.policy),
        trust: indices(&gathered.trust),
        files: Vec::new(),
    })
}

fn indices(events: &[StoredEvent]) -> Vec<u64> {
    let of = |event: &StoredEvent| {
        [Some(event.position.leaf_index), event.position.attestation_index].into_iter().flatten()
    };
    events.iter().flat_map(of).collect()
}
