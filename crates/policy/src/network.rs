//! `net.cidr_contains` and `net.cidr_is_valid`, as OPA defines them. The engine has them only together with its
//! `std` feature, which brings a clock and randomness.

use std::net::IpAddr;

// The engine's error type; it does not export it under its own name.
use anyhow::Error as EngineError;
use regorus::{Engine, Value};

/// A block of addresses: RFC 4632 (IPv4), RFC 4291 section 2.3 (IPv6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    address: IpAddr,
    prefix_bits: u32,
}

impl Block {
    /// Parses `address/bits`; a bare address is a block of one.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match bits {
            Some(bits) if bits.bytes().all(|digit| digit.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        (prefix_bits <= width).then_some(Self { address, prefix_bits })
    }

    /// Whether every address of `other` is in this block.
    pub fn contains(self, other: Self) -> bool {
        let same_family = self.address.is_ipv4() == other.address.is_ipv4();
        same_family
            && self.prefix_bits <= other.prefix_bits
            && self.network() == other.network_at(self.prefix_bits)
    }

    fn network(self) -> u128 {
        self.network_at(self.prefix_bits)
    }

    fn network_at(self, bits: u32) -> u128 {
        let (number, width) = match self.address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        // A shift by the whole width of the number is no shift at all in hardware, hence `checked`.
        number.checked_shr(width - bits).unwrap_or(0)
    }
}

/// Registers the builtins.
pub fn register(engine: &mut Engine) -> Result<(), String> {
    let contains = |arguments: Vec<Value>| -> Result<Value, _> {
        let [outer, inner] = arguments.as_slice() else {
            return Err(refusal("net.cidr_contains takes two arguments"));
        };
        let (outer, inner) = (block(outer)?, block(inner)?);
        Ok(Value::from(outer.contains(inner)))
    };
    let is_valid = |arguments: Vec<Value>| -> Result<Value, _> {
        let text = arguments.first().and_then(|value| value.as_string().ok().cloned());
        Ok(Value::from(text.is_some_and(|text| text.contains('/') && Block::parse(&text).is_some())))
    };
    engine
        .add_extension("net.cidr_contains".to_owned(), 2, Box::new(contains))
        .and_then(|()| engine.add_extension("net.cidr_is_valid".to_owned(), 1, Box::new(is_valid)))
        .map_err(|error| error.to_string())
}

fn block(value: &Value) -> Result<Block, EngineError> {
    let text = value.as_string().map_err(|_| refusal("net.cidr_contains takes texts"))?;
    Block::parse(text).ok_or_else(|| refusal("net.cidr_contains was given no address block"))
}

fn refusal(text: &'static str) -> EngineError {
    EngineError::msg(text)
}

#[cfg(test)]
mod tests {
    use super::Block;

    #[test]
    fn containment_of_blocks() {
        for (outer, inner, contains) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "10.0.0.0/16", true),
            ("10.0.0.0/16", "10.0.0.0/8", false),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:1::/48", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("192.0.2.7/32", "192.0.2.7", true),
        ] {
            let (Some(outer_block), Some(inner_block)) = (Block::parse(outer), Block::parse(inner)) else {
                panic!("{outer} and {inner} are blocks");
            };
            assert_eq!(outer_block.contains(inner_block), contains, "{outer} {inner}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/+8", "::/129", "host"] {
            assert_eq!(Block::parse(text), None, "{text}");
        }
    }
}
