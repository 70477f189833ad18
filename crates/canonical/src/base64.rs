//! Base64 with one spelling for each byte string (RFC 4648, sections 3.5, 4 and 5).
//!
//! Decoding refuses what lets two texts mean the same bytes: white space, wrong padding, and bits after the
//! last byte that are not zero.

use std::fmt;

use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not strict base64, or bytes beyond a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Base64Error {
    /// Not base64url without padding.
    #[error("text is not base64url without padding: remove padding and white space, use `-` and `_`")]
    NotUrlSafe,
    /// Not base64 with padding.
    #[error("text is not base64 with padding: keep the padding, use `+` and `/`")]
    NotStandard,
    /// More bytes than the place allows.
    #[error("{length} bytes where at most {maximum} are allowed: send less")]
    TooLong {
        /// How many bytes came.
        length: usize,
        /// How many are allowed.
        maximum: usize,
    },
}

/// base64url without padding.
pub fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding.
///
/// # Errors
/// [`Base64Error::NotUrlSafe`] for padding, white space, the other alphabet, or non-zero trailing bits.
pub fn decode_url(text: &str) -> Result<Vec<u8>, Base64Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Base64Error::NotUrlSafe)
}

/// Standard base64 with padding.
pub fn encode_standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes standard base64 with padding.
///
/// # Errors
/// [`Base64Error::NotStandard`] for missing padding, white space, the other alphabet, or non-zero trailing bits.
pub fn decode_standard(text: &str) -> Result<Vec<u8>, Base64Error> {
    STANDARD.decode(text).map_err(|_| Base64Error::NotStandard)
}

/// At most `MAXIMUM` bytes. In JSON: strict base64url without padding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes<const MAXIMUM: usize>(Vec<u8>);

impl<const MAXIMUM: usize> Bytes<MAXIMUM> {
    /// Takes bytes within the limit.
    ///
    /// # Errors
    /// [`Base64Error::TooLong`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Base64Error> {
        let bytes = bytes.into();
        if bytes.len() > MAXIMUM {
            return Err(Base64Error::TooLong { length: bytes.len(), maximum: MAXIMUM });
        }
        Ok(Self(bytes))
    }

    /// Decodes strict base64url without padding.
    ///
    /// # Errors
    /// [`Base64Error::NotUrlSafe`] or [`Base64Error::TooLong`].
    pub fn parse(text: &str) -> Result<Self, Base64Error> {
        Self::new(decode_url(text)?)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAXIMUM: usize> AsRef<[u8]> for Bytes<MAXIMUM> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAXIMUM: usize> fmt::Display for Bytes<MAXIMUM> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&encode_url(&self.0))
    }
}

impl<const MAXIMUM: usize> fmt::Debug for Bytes<MAXIMUM> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Bytes({self})")
    }
}

impl<const MAXIMUM: usize> Serialize for Bytes<MAXIMUM> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const MAXIMUM: usize> Deserialize<'de> for Bytes<MAXIMUM> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
