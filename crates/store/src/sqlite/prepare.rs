//! What an append costs that needs no database: texts, digests, and refusals that follow from the append alone. Done by
//! whoever asks, so that the one thread that writes does not do it for everybody.

use chancery_canonical::Sha256;
use chancery_domain::leaf::{MAX_LEAF_BYTES, Stream, UnplacedLeaf};
use chancery_domain::time::Timestamp;
use chancery_ledger::{Hash, leaf_hash};
use serde_json::Value;

use crate::append::{Append, NewAttestation, NewEvent, StreamAppend};
use crate::error::{AppendError, Refusal};

/// An append whose documents have their digests and whose events only lack their place.
pub(super) struct Prepared {
    /// All of it but the events.
    pub(super) append: Append,
    pub(super) streams: Vec<PreparedStream>,
}

/// Events for the end of one stream.
pub(super) struct PreparedStream {
    pub(super) stream: Stream,
    /// The stream's name, as it stands in rows.
    pub(super) name: String,
    pub(super) expected_version: u64,
    pub(super) events: Vec<PreparedEvent>,
}

/// One event.
pub(super) struct PreparedEvent {
    pub(super) kind: String,
    pub(super) leaf: UnplacedLeaf,
    pub(super) private: Option<String>,
    pub(super) attestation: Option<PreparedAttestation>,
}

/// An attestation's leaf, hashed, and its envelope.
pub(super) struct PreparedAttestation {
    pub(super) leaf: Vec<u8>,
    pub(super) hash: Hash,
    pub(super) envelope: Vec<u8>,
}

impl Prepared {
    /// Prepares an append.
    ///
    /// # Errors
    /// [`Refusal`] of what no state of the database would let pass.
    pub(super) fn of(mut append: Append) -> Result<Self, AppendError> {
        for document in &append.documents {
            if Sha256::of(&document.bytes) != document.sha256 {
                return Err(Refusal::DocumentDigest { sha256: document.sha256 }.into());
            }
        }
        let streams = std::mem::take(&mut append.streams).into_iter();
        let time = append.time;
        let streams: Result<_, Refusal> = streams.map(|stream| prepare_stream(stream, time)).collect();
        Ok(Self { append, streams: streams? })
    }

    /// Whether it may refuse after it has changed something. Everything else is refused by its plan, which changes nothing:
    /// but one ticket may stand twice in an append, and what can be erased is found out by erasing.
    pub(super) fn may_refuse_late(&self) -> bool {
        self.append.consume.len() + self.append.remember.len() > 1 || !self.append.erase.is_empty()
    }
}

fn prepare_stream(append: StreamAppend, time: Timestamp) -> Result<PreparedStream, Refusal> {
    let StreamAppend { stream, expected_version, events } = append;
    let events: Result<_, _> = events.into_iter().map(|event| prepare_event(&stream, event, time)).collect();
    Ok(PreparedStream { name: stream.to_string(), stream, expected_version, events: events? })
}

fn prepare_event(stream: &Stream, event: NewEvent, time: Timestamp) -> Result<PreparedEvent, Refusal> {
    let NewEvent { kind, body, private, attestation } = event;
    let leaf = UnplacedLeaf::new(stream, &kind, time, body);
    let leaf = leaf.map_err(|reason| Refusal::Event { kind: kind.clone(), reason })?;
    let attestation = attestation.map(prepare_attestation).transpose()?;
    Ok(PreparedEvent { kind, leaf, private: private.as_ref().map(Value::to_string), attestation })
}

fn prepare_attestation(attestation: NewAttestation) -> Result<PreparedAttestation, Refusal> {
    let NewAttestation { leaf, envelope } = attestation;
    if leaf.len() > MAX_LEAF_BYTES {
        return Err(Refusal::AttestationTooLong { length: leaf.len(), maximum: MAX_LEAF_BYTES });
    }
    Ok(PreparedAttestation { hash: leaf_hash(&leaf), leaf, envelope })
}
