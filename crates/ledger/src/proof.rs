//! Offline proofs: c2sp.org/tlog-proof@v1, the text that says "this leaf is in that log".

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::cosignature::Cosignature;
use crate::decimal;
use crate::note::{MAX_NOTE_BYTES, Note, NoteError, VerifierKey};
use crate::tree::{Hash, HashParseError, InclusionError, MAX_SIZE, leaf_hash, verify_inclusion};
use crate::witness_policy::{AcceptError, WitnessPolicy};

/// The first line.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes a proof can have: the height of a tree of 2^63 leaves.
pub const MAX_PATH: usize = 63;

/// The longest extra data that is read, in bytes before base64.
pub const MAX_EXTRA_BYTES: usize = 16 * 1024;

/// A proof as read, which proves nothing until [`LogProof::verify`].
///
/// INVARIANT: printing gives back exactly the bytes that were parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    path: Vec<Hash>,
    checkpoint: Note,
}

impl LogProof {
    /// Joins the index of a leaf, its inclusion proof (lowest sibling first) and the checkpoint it leads to.
    ///
    /// # Errors
    /// [`ProofError`] if the index or the number of hashes is over the limit.
    pub fn new(index: u64, path: Vec<Hash>, checkpoint: Note) -> Result<LogProof, ProofError> {
        if index >= MAX_SIZE {
            return Err(ProofError::Index);
        }
        if path.len() > MAX_PATH {
            return Err(ProofError::PathTooLong);
        }
        Ok(LogProof { extra: None, index, path, checkpoint })
    }

    /// Adds data that the proof carries along and does not authenticate.
    ///
    /// # Errors
    /// [`ProofError::Extra`] if it is over [`MAX_EXTRA_BYTES`].
    pub fn with_extra(self, extra: Vec<u8>) -> Result<LogProof, ProofError> {
        if extra.len() > MAX_EXTRA_BYTES {
            return Err(ProofError::Extra);
        }
        Ok(LogProof { extra: Some(extra), ..self })
    }

    /// Reads a proof. Nothing is verified.
    ///
    /// # Errors
    /// [`ProofError`] for anything but the form of c2sp.org/tlog-proof, in its one spelling.
    pub fn parse(bytes: &[u8]) -> Result<LogProof, ProofError> {
        if bytes.len() > MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES {
            return Err(ProofError::TooLong { length: bytes.len() });
        }
        let text = str::from_utf8(bytes).map_err(|_| ProofError::Layout)?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Layout)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofError::Header);
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.and_then(|line| line.strip_prefix("extra ")).map(parse_extra).transpose()?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(ProofError::Index)?;
        let index = decimal::parse(index).ok_or(ProofError::Index)?;
        let path = lines.map(Hash::from_base64).collect::<Result<_, _>>()?;
        let proof = LogProof::new(index, path, Note::parse(checkpoint.as_bytes())?)?;
        match extra {
            Some(extra) => proof.with_extra(extra),
            None => Ok(proof),
        }
    }

    /// Data that came along, unauthenticated: never to be believed for itself.
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The index the proof claims.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion proof, lowest sibling first.
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// The checkpoint's note, unverified.
    pub fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }

    /// Verifies that `leaf` (its bytes) is in a log that the policy accepts, at this proof's index.
    ///
    /// # Errors
    /// [`ProofError`] names the signature, quorum or hash that fails.
    pub fn verify(&self, leaf: &[u8], policy: &WitnessPolicy) -> Result<LoggedEntry, ProofError> {
        let accepted = policy.accept_note(self.checkpoint.clone())?;
        let entry = self.under(leaf, accepted.checkpoint().clone())?;
        let cosignatures = accepted.cosignatures().to_vec();
        Ok(LoggedEntry { cosignatures, quorum_time_seconds: accepted.quorum_time_seconds(), ..entry })
    }

    /// Verifies against one log's key, without witnesses: that this log committed to the leaf, not that it
    /// showed everybody the same.
    ///
    /// # Errors
    /// [`ProofError`] names the signature or hash that fails.
    pub fn verify_with_key(&self, leaf: &[u8], key: &VerifierKey) -> Result<LoggedEntry, ProofError> {
        self.under(leaf, Checkpoint::open_note(self.checkpoint.clone(), key)?)
    }

    fn under(&self, leaf: &[u8], checkpoint: SignedCheckpoint) -> Result<LoggedEntry, ProofError> {
        let leaf_hash = leaf_hash(leaf);
        verify_inclusion(checkpoint.root(), self.index, &leaf_hash, &self.path)?;
        let (cosignatures, quorum_time_seconds) = (Vec::new(), None);
        Ok(LoggedEntry { index: self.index, leaf_hash, checkpoint, cosignatures, quorum_time_seconds })
    }
}

fn parse_extra(encoded: &str) -> Result<Vec<u8>, ProofError> {
    STANDARD.decode(encoded).map_err(|_| ProofError::Extra)
}

impl fmt::Display for LogProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(formatter, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(formatter, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(formatter, "{}", hash.to_base64()))?;
        write!(formatter, "\n{}", self.checkpoint)
    }
}

/// A leaf that was proved to be in a log, under a checkpoint whose signature was verified.
///
/// Only [`LogProof::verify`] and [`LogProof::verify_with_key`] make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEntry {
    index: u64,
    leaf_hash: Hash,
    checkpoint: SignedCheckpoint,
    cosignatures: Vec<Cosignature>,
    quorum_time_seconds: Option<u64>,
}

impl LoggedEntry {
    /// Where the leaf stands in the log, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hash of the leaf's bytes.
    pub fn leaf_hash(&self) -> Hash {
        self.leaf_hash
    }

    /// The checkpoint it was proved under.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// The policy's witnesses that cosigned it; empty if no policy was asked.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// When the policy's quorum had seen it, in seconds since 1970-01-01 UTC: the leaf is older. `None` where no
    /// witness was demanded, and then no time is proved.
    pub fn quorum_time_seconds(&self) -> Option<u64> {
        self.quorum_time_seconds
    }
}

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Over the size limit.
    #[error("a proof of `{length}` bytes is over the limit")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// No empty line between proof and checkpoint, or not UTF-8.
    #[error("a proof is its lines, an empty line and a checkpoint; fetch it again unchanged")]
    Layout,
    /// The first line is another.
    #[error("a proof begins with the line `{HEADER}`")]
    Header,
    /// The extra line is no base64, or too long.
    #[error("the extra line of a proof is base64 of at most {MAX_EXTRA_BYTES} bytes")]
    Extra,
    /// The index line is missing or wrong.
    #[error("the index line of a proof is `index` and a decimal below 2^63, without leading zeros")]
    Index,
    /// A hash line is wrong.
    #[error(transparent)]
    Hash(#[from] HashParseError),
    /// More hashes than any tree is high.
    #[error("a proof has at most {MAX_PATH} hashes")]
    PathTooLong,
    /// The checkpoint is no note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint is wrong, or not the log's.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The policy does not accept the checkpoint.
    #[error(transparent)]
    Policy(#[from] AcceptError),
    /// The leaf is not where the proof says.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
}
