//! Replacing members by digests.

use super::{DIGESTS_MEMBER, Disclosure, DisclosureError, encode_url};
use crate::json::{Map, Value};

/// Conceals the members that the pointers name (RFC 6901; the last part is a member's name, parts before it
/// may also be array positions).
///
/// Pointers are taken in the order given, one salt each, and the disclosures come back in that order. To
/// conceal a member of an object that is itself concealed, name the inner one first.
///
/// # Errors
/// [`DisclosureError::NoMember`] for a pointer that names no member, [`DisclosureError::ReservedName`],
/// [`DisclosureError::MalformedDigests`] where an `_sd` member of another shape stands, and
/// [`DisclosureError::Json`] for floats.
pub fn conceal(
    object: Map<String, Value>,
    pointers: &[&str],
    salts: &mut dyn FnMut() -> [u8; 16],
) -> Result<(Map<String, Value>, Vec<Disclosure>), DisclosureError> {
    let mut root = Value::Object(object);
    let mut disclosures = Vec::with_capacity(pointers.len());
    for pointer in pointers {
        disclosures.push(conceal_one(&mut root, pointer, &salts())?);
    }
    let Value::Object(object) = root else {
        return Err(DisclosureError::NoMember { pointer: String::new() });
    };
    Ok((object, disclosures))
}

fn conceal_one(root: &mut Value, pointer: &str, salt: &[u8; 16]) -> Result<Disclosure, DisclosureError> {
    let no_member = || DisclosureError::NoMember { pointer: pointer.to_owned() };
    let (parent, name) = pointer.rsplit_once('/').ok_or_else(no_member)?;
    let name = name.replace("~1", "/").replace("~0", "~");
    let object = root.pointer_mut(parent).and_then(Value::as_object_mut).ok_or_else(no_member)?;
    let value = object.get(&name).ok_or_else(no_member)?.clone();
    let disclosure = Disclosure::new(salt, &name, value)?;
    add_digest(object, parent, encode_url(disclosure.digest().as_bytes()))?;
    object.remove(&name);
    Ok(disclosure)
}

/// Adds a digest in sorted order, so that the array does not tell which member came first.
fn add_digest(object: &mut Map<String, Value>, pointer: &str, digest: String) -> Result<(), DisclosureError> {
    let digests = object.entry(DIGESTS_MEMBER).or_insert_with(|| Value::Array(Vec::new()));
    let malformed = || DisclosureError::MalformedDigests { object: pointer.to_owned() };
    let digests = digests.as_array_mut().ok_or_else(malformed)?;
    if !digests.iter().all(Value::is_string) {
        return Err(malformed());
    }
    let position = digests.partition_point(|other| other.as_str() < Some(digest.as_str()));
    digests.insert(position, Value::String(digest));
    Ok(())
}
