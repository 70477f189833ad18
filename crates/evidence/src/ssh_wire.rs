//! The encoding inside SSH keys and signatures (RFC 4251, section 5).

/// Reads length-prefixed fields. `None` means that the bytes end too early or break the encoding.
pub struct WireReader<'a> {
    rest: &'a [u8],
}

impl<'a> WireReader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads one byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// Reads a big-endian `uint32`.
    pub fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*number))
    }

    /// Reads a `string`.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (content, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(content)
    }

    /// Reads a `string` that is UTF-8.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }

    /// Reads a positive `mpint` in its shortest form, and returns it without the leading zero byte.
    pub fn positive_integer(&mut self) -> Option<&'a [u8]> {
        match self.string()? {
            [0, high, ..] if *high < 0x80 => None,
            [0] | [] => None,
            [0, magnitude @ ..] => Some(magnitude),
            [high, ..] if *high >= 0x80 => None,
            magnitude => Some(magnitude),
        }
    }

    /// Succeeds when nothing is left.
    pub fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}

/// Appends a `string`. Contents here are far below the 4 GiB that a length can say.
pub fn put_string(bytes: &mut Vec<u8>, content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(content);
}
