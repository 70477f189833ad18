//! Strict JSON reading and RFC 8785 (JCS) writing.
//!
//! The reader is our own and not `serde_json`'s, because the questions it must answer (was a name repeated?
//! was this number written as a float? how deep?) are gone once a `serde_json::Value` exists.

mod check;
mod parse;
mod write;

use serde::Serialize;
pub use serde_json::{Map, Value};

use check::is_surely_canonical;
pub use parse::parse;
pub use write::to_canonical;

/// The largest integer that every JSON reader keeps exactly: 2^53 − 1 (RFC 8785, section 3.2.2.3).
pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;

/// How many arrays and objects may stand inside each other.
pub const MAX_DEPTH: usize = 64;

/// The largest document that is read, in bytes. Callers with a tighter limit check it first.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Why a text is not an acceptable JSON document. Offsets are in bytes from the start of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text is longer than [`MAX_BYTES`].
    #[error("document is larger than {MAX_BYTES} bytes: send a smaller one")]
    TooLarge,
    /// The bytes are not UTF-8.
    #[error("document is not valid UTF-8: encode it as UTF-8")]
    NotUtf8,
    /// More than [`MAX_DEPTH`] arrays and objects inside each other.
    #[error("document is nested deeper than {MAX_DEPTH} levels: flatten it")]
    TooDeep,
    /// The text breaks the JSON grammar (RFC 8259).
    #[error("invalid JSON at byte {offset}: {expected}")]
    Syntax {
        /// Where the reader stood.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// Something follows the document.
    #[error("text after the document at byte {offset}: remove it")]
    TrailingData {
        /// Where the additional text starts.
        offset: usize,
    },
    /// A member name occurs twice in one object.
    #[error("member `{name}` occurs twice in one object: keep one")]
    DuplicateKey {
        /// The repeated name.
        name: String,
    },
    /// A number with a fraction, an exponent or a negative zero.
    #[error("number is not a plain integer: write it as an integer or as a string")]
    Float,
    /// An integer beyond ±(2^53 − 1).
    #[error("integer is beyond ±{MAX_INTEGER}: write it as a string")]
    IntegerTooLarge,
    /// Half of a surrogate pair, which names no character.
    #[error("lone surrogate at byte {offset}: escape both halves of the pair")]
    LoneSurrogate {
        /// Where the escape starts.
        offset: usize,
    },
    /// Valid JSON, but not in the canonical form of RFC 8785.
    #[error("document is not in canonical form (RFC 8785): canonicalise it and sign it again")]
    NotCanonical,
    /// A Rust value that has no JSON form, such as a map with structured keys.
    #[error("value has no JSON form: {0}")]
    Unrepresentable(String),
}

/// Reads a document and refuses bytes that are not exactly their own canonical form.
///
/// # Errors
/// Any refusal of [`parse`], or [`JsonError::NotCanonical`].
pub fn parse_canonical(bytes: &[u8]) -> Result<Value, JsonError> {
    let value = parse(bytes)?;
    if is_surely_canonical(bytes) || to_canonical(&value)?.as_bytes() == bytes {
        Ok(value)
    } else {
        Err(JsonError::NotCanonical)
    }
}

/// Refuses bytes that are not exactly their own canonical form, and reads nothing of them.
///
/// # Errors
/// As [`parse_canonical`].
pub fn check_canonical(bytes: &[u8]) -> Result<(), JsonError> {
    if is_surely_canonical(bytes) { Ok(()) } else { parse_canonical(bytes).map(drop) }
}

/// Whether these bytes are exactly their own canonical form.
pub fn is_canonical(bytes: &[u8]) -> bool {
    check_canonical(bytes).is_ok()
}

/// The canonical form of a Rust value.
///
/// # Errors
/// The refusals of [`to_canonical`], and [`JsonError::Unrepresentable`] where serde refuses the value.
pub fn canonical_of<T: Serialize + ?Sized>(value: &T) -> Result<String, JsonError> {
    let value = serde_json::to_value(value).map_err(|error| JsonError::Unrepresentable(error.to_string()))?;
    to_canonical(&value)
}
