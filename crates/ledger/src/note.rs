//! Signed notes: c2sp.org/signed-note.
//!
//! A note is a text, an empty line, and signature lines. Reading one proves nothing; [`Note::verify`] does, for
//! one known key. Signatures of unknown keys are carried along and ignored, as the specification asks.

mod key;
mod text;

pub use key::{KeyError, KeyId, KeyName, KeyType, SignerKey, VerifierKey};
pub(crate) use text::require_type;
pub use text::{MAX_NOTE_BYTES, MAX_SIGNATURES, Note, NoteError, NoteSignature};
