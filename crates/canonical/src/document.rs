//! A document whose text is known to be canonical.

use std::fmt;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Sha256;
use crate::json::{self, JsonError, Value};

/// A JSON document in the canonical form of RFC 8785.
///
/// The text itself is kept, so what was hashed is what is stored and sent: nothing is ever written again from
/// parsed values. In JSON it is a *string* that holds the text.
///
/// INVARIANT: the text passes [`json::parse_canonical`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical(String);

impl Canonical {
    /// The canonical form of a Rust value.
    ///
    /// # Errors
    /// The refusals of [`json::canonical_of`], and [`JsonError::TooLarge`].
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        Self::written(json::canonical_of(value)?)
    }

    /// The canonical form of parsed JSON.
    ///
    /// # Errors
    /// The refusals of [`json::to_canonical`], and [`JsonError::TooLarge`].
    pub fn of_value(value: &Value) -> Result<Self, JsonError> {
        Self::written(json::to_canonical(value)?)
    }

    fn written(text: String) -> Result<Self, JsonError> {
        // A document that could be written but not read again would be a trap for whoever stores it.
        if text.len() > json::MAX_BYTES { Err(JsonError::TooLarge) } else { Ok(Self(text)) }
    }

    /// Takes bytes that claim to be canonical, and refuses all others.
    ///
    /// # Errors
    /// The refusals of [`json::parse_canonical`].
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        json::check_canonical(bytes)?;
        let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text's UTF-8 bytes: what is hashed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Sha256 {
        Sha256::of(self.as_bytes())
    }

    /// The parsed document. `null` is returned only for the document `null`.
    pub fn value(&self) -> Value {
        // The invariant makes the refusal unreachable.
        json::parse(self.as_bytes()).unwrap_or_default()
    }

    /// Reads the document as a Rust type.
    ///
    /// # Errors
    /// [`JsonError::Unrepresentable`] with serde's reason when the document has another shape.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        serde_json::from_str(&self.0).map_err(|error| JsonError::Unrepresentable(error.to_string()))
    }
}

impl fmt::Display for Canonical {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Canonical {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Canonical({})", self.0)
    }
}

impl AsRef<[u8]> for Canonical {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Serialize for Canonical {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Canonical {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(text.as_bytes()).map_err(D::Error::custom)
    }
}
