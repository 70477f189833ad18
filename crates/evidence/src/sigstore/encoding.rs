//! Protobuf's JSON mapping for 64-bit integers and bytes, each with one spelling.

use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_standard, encode_standard};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SigstoreError;

/// A non-negative `int64`: a string of decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal(pub u64);

/// `bytes`: standard base64 with padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl Base64 {
    pub fn digest(&self) -> Result<Sha256, SigstoreError> {
        Sha256::try_from(self.0.as_slice())
            .map_err(|_| SigstoreError::Malformed("a hash is not 32 bytes long".to_owned()))
    }
}

impl From<Sha256> for Base64 {
    fn from(digest: Sha256) -> Self {
        Self(digest.as_bytes().to_vec())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse::<u64>() {
            // No sign, no leading zero, and inside `int64`.
            Ok(number) if number.to_string() == text && i64::try_from(number).is_ok() => Ok(Self(number)),
            Ok(_) | Err(_) => Err(D::Error::custom("integer is not a plain decimal string")),
        }
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode_standard(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode_standard(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}
