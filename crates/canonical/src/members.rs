//! Members of documents that are left out where there is nothing to say: `null` or an empty list in their place would
//! be a second spelling of the same meaning.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Reads a member that is there, for `#[serde(default, deserialize_with = "present")]`.
///
/// # Errors
/// Those of the value's type, which `null` is not.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads a list that is there, and so has something in it.
///
/// # Errors
/// Those of the elements' type, and for an empty list.
pub fn not_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() { Err(D::Error::custom("an empty list is left out")) } else { Ok(list) }
}
