//! The binary encoding under every SSH format: RFC 4251 section 5.

use thiserror::Error;

/// Why bytes are not what an SSH format says they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WireError {
    /// A field runs past the end of the bytes.
    #[error("the bytes end inside a field; the data is cut short")]
    CutShort,
    /// Something follows the last field.
    #[error("{0} bytes follow the last field; the data has something appended")]
    Trailing(usize),
    /// A string that must be text is not UTF-8.
    #[error("a text field is not UTF-8")]
    NotText,
    /// An integer is negative where only natural numbers have a meaning.
    #[error("an integer is negative")]
    Negative,
    /// An integer carries a leading zero byte that it does not need.
    #[error("an integer has a needless leading zero byte")]
    NotMinimal,
    /// A field is longer than its 32 bit length can say.
    #[error("a field is longer than 4 GiB")]
    TooLong,
}

/// Writes fields one after the other. A field that is too long is reported once, by [`Writer::finish`].
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    overlong: bool,
}

impl Writer {
    /// A writer with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// `uint32`, big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// `uint64`, big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// `string`: a 32 bit length, then the bytes.
    pub fn string(&mut self, value: &[u8]) -> &mut Self {
        match u32::try_from(value.len()) {
            Ok(length) => self.u32(length).raw(value),
            Err(_) => {
                self.overlong = true;
                self
            }
        }
    }

    /// `mpint` of a natural number, given as big-endian bytes (leading zeros are dropped, one is added where the
    /// first bit would read as a sign).
    pub fn mpint(&mut self, magnitude: &[u8]) -> &mut Self {
        let significant = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
        let digits = magnitude.get(significant..).unwrap_or_default();
        if digits.first().is_some_and(|first| first & 0x80 != 0) {
            let mut padded = vec![0];
            padded.extend_from_slice(digits);
            return self.string(&padded);
        }
        self.string(digits)
    }

    /// Bytes as they are, with no length: fields that were encoded before.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// The bytes written.
    ///
    /// # Errors
    /// [`WireError::TooLong`] when a field did not fit its length.
    pub fn finish(self) -> Result<Vec<u8>, WireError> {
        if self.overlong { Err(WireError::TooLong) } else { Ok(self.bytes) }
    }
}

/// Reads fields one after the other, and refuses every encoding but the one [`Writer`] makes.
#[derive(Debug, Clone)]
pub struct Reader<'bytes> {
    rest: &'bytes [u8],
}

impl<'bytes> Reader<'bytes> {
    /// A reader at the first of these bytes.
    #[must_use]
    pub fn new(bytes: &'bytes [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether every byte was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    ///
    /// # Errors
    /// [`WireError::CutShort`].
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// `uint32`, big-endian.
    ///
    /// # Errors
    /// [`WireError::CutShort`].
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// `uint64`, big-endian.
    ///
    /// # Errors
    /// [`WireError::CutShort`].
    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_be_bytes)
    }

    /// `string`, any bytes.
    ///
    /// # Errors
    /// [`WireError::CutShort`].
    pub fn string(&mut self) -> Result<&'bytes [u8], WireError> {
        let length = usize::try_from(self.u32()?).map_err(|_| WireError::CutShort)?;
        let (field, rest) = self.rest.split_at_checked(length).ok_or(WireError::CutShort)?;
        self.rest = rest;
        Ok(field)
    }

    /// `string` that holds UTF-8.
    ///
    /// # Errors
    /// [`WireError::CutShort`], [`WireError::NotText`].
    pub fn text(&mut self) -> Result<&'bytes str, WireError> {
        std::str::from_utf8(self.string()?).map_err(|_| WireError::NotText)
    }

    /// `mpint` of a natural number: its big-endian bytes without leading zeros, none at all for zero.
    ///
    /// # Errors
    /// [`WireError::Negative`], [`WireError::NotMinimal`], [`WireError::CutShort`].
    pub fn mpint(&mut self) -> Result<&'bytes [u8], WireError> {
        match self.string()? {
            [0, tail @ ..] if tail.first().is_some_and(|next| next & 0x80 != 0) => Ok(tail),
            [0, ..] => Err(WireError::NotMinimal),
            [first, ..] if first & 0x80 != 0 => Err(WireError::Negative),
            magnitude => Ok(magnitude),
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`WireError::Trailing`] when bytes are left.
    pub fn finish(self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Trailing(self.rest.len())) }
    }

    fn array<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], WireError> {
        let (field, rest) = self.rest.split_first_chunk::<SIZE>().ok_or(WireError::CutShort)?;
        self.rest = rest;
        Ok(*field)
    }
}
