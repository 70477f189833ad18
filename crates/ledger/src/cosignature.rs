//! Cosignatures: c2sp.org/tlog-cosignature, version 1 (Ed25519, type 0x04).
//!
//! A witness that cosigns says: at this time, this was the largest checkpoint of this log that I had seen, and
//! it extends all those I saw before. Whether that is true is the witness's business; the form is here.

use crate::checkpoint::Checkpoint;
use crate::note::{KeyName, KeyType, Note, NoteError, NoteSignature, SignerKey, VerifierKey};

/// The latest time a cosignature may name, in seconds: 2^63 − 1.
pub const MAX_TIME_SECONDS: u64 = (1 << 63) - 1;

/// A verified cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    witness: KeyName,
    time_seconds: u64,
}

impl Cosignature {
    /// Name of the witness's key.
    pub fn witness(&self) -> &KeyName {
        &self.witness
    }

    /// When the witness says it signed, in seconds since 1970-01-01 UTC.
    pub fn time_seconds(&self) -> u64 {
        self.time_seconds
    }
}

/// Cosigns a checkpoint as a witness, at `time_seconds` since 1970-01-01 UTC.
///
/// The caller has verified the log's signature, and a consistency proof from the last checkpoint it cosigned,
/// which it has stored before it asks for this.
///
/// # Errors
/// [`CosignatureError`] if the key is a log's, or the time is over [`MAX_TIME_SECONDS`].
pub fn cosign(
    checkpoint: &Checkpoint,
    key: &SignerKey,
    time_seconds: u64,
) -> Result<NoteSignature, CosignatureError> {
    require_witness(key.verifier())?;
    if time_seconds > MAX_TIME_SECONDS {
        return Err(CosignatureError::Time { time_seconds });
    }
    let mut bytes = time_seconds.to_be_bytes().to_vec();
    bytes.extend(key.sign(message(time_seconds, &checkpoint.text()).as_bytes()));
    Ok(NoteSignature::new(key.verifier(), bytes))
}

/// Verifies a witness's cosignature on a note; `None` if the note has none of this key.
///
/// # Errors
/// [`CosignatureError`] if there is one and it is wrong, or there are two, or the key is a log's.
pub fn verify(note: &Note, key: &VerifierKey) -> Result<Option<Cosignature>, CosignatureError> {
    require_witness(key)?;
    let Some(line) = note.signature_by(key)? else { return Ok(None) };
    let bad = || NoteError::BadSignature { name: key.name().clone() };
    let (time, signature) = line.bytes().split_first_chunk().ok_or_else(bad)?;
    let time_seconds = u64::from_be_bytes(*time);
    if time_seconds > MAX_TIME_SECONDS {
        return Err(CosignatureError::Time { time_seconds });
    }
    if !key.signed(message(time_seconds, note.text()).as_bytes(), signature) {
        return Err(bad().into());
    }
    Ok(Some(Cosignature { witness: key.name().clone(), time_seconds }))
}

fn message(time_seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time_seconds}\n{text}")
}

fn require_witness(key: &VerifierKey) -> Result<(), CosignatureError> {
    Ok(crate::note::require_type(key, KeyType::Cosignature)?)
}

/// Why a cosignature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The note or the signature is wrong.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The time is out of range.
    #[error("a cosignature's time of `{time_seconds}` seconds is over the limit of 2^63 - 1")]
    Time {
        /// Seconds since 1970-01-01 UTC.
        time_seconds: u64,
    },
}
