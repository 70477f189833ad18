//! CBOR whose content is nobody's business, but must be CBOR (RFC 8949).

use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;

/// Steps over one item. Lengths must be said beforehand, as CTAP2's canonical form wants: the decoder's own `skip` takes
/// a map without a length that ends after a key, which other readers refuse.
///
/// # Errors
/// What is no such item.
pub fn skip(decoder: &mut Decoder<'_>) -> Result<(), Error> {
    let mut left = 1_u64;
    // A false count ends with the input: every round steps over a byte at least.
    while left > 0 {
        left -= 1;
        match decoder.datatype()? {
            Type::Array => left = left.saturating_add(decoder.array()?.unwrap_or(0)),
            Type::Map => left = left.saturating_add(decoder.map()?.unwrap_or(0).saturating_mul(2)),
            Type::Tag => {
                decoder.tag()?;
                left += 1;
            }
            Type::ArrayIndef | Type::MapIndef | Type::BytesIndef | Type::StringIndef | Type::Break => {
                return Err(Error::message("a length is not said beforehand"));
            }
            _ => decoder.skip()?,
        }
    }
    Ok(())
}
