//! Recognises canonical text without building a document from it: verification reads each byte once.

use std::cmp::Ordering;

use super::write::compare;
use super::{MAX_BYTES, MAX_DEPTH, MAX_INTEGER};

/// Whether the bytes are for certain the canonical form of the document they hold. False does not say that they
/// are not: names with escapes are left to the reader and the writer.
///
/// INVARIANT: whatever is accepted here, [`super::parse()`] accepts, and [`super::to_canonical`] writes again.
pub fn is_surely_canonical(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_BYTES
        && std::str::from_utf8(bytes).is_ok_and(|text| {
            let mut checker = Checker { text, offset: 0 };
            checker.value(0) && checker.offset == text.len()
        })
}

// INVARIANT: `offset` stands on a character boundary of `text`, or at its end.
struct Checker<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Checker<'a> {
    fn value(&mut self, depth: usize) -> bool {
        match self.peek() {
            Some(b'{') => depth < MAX_DEPTH && self.object(depth + 1),
            Some(b'[') => depth < MAX_DEPTH && self.array(depth + 1),
            Some(b'"') => self.string().is_some(),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(_) | None => false,
        }
    }

    fn object(&mut self, depth: usize) -> bool {
        self.offset += 1;
        if self.take(b'}') {
            return true;
        }
        let mut previous: Option<&'a str> = None;
        loop {
            let Some(Text { content: name, escaped: false }) = self.string() else {
                return false;
            };
            // Ascending, and so without repetition.
            if previous.is_some_and(|previous| compare(previous, name) != Ordering::Less) {
                return false;
            }
            previous = Some(name);
            if !(self.take(b':') && self.value(depth)) {
                return false;
            }
            if self.take(b'}') {
                return true;
            }
            if !self.take(b',') {
                return false;
            }
        }
    }

    fn array(&mut self, depth: usize) -> bool {
        self.offset += 1;
        if self.take(b']') {
            return true;
        }
        loop {
            if !self.value(depth) {
                return false;
            }
            if self.take(b']') {
                return true;
            }
            if !self.take(b',') {
                return false;
            }
        }
    }

    fn integer(&mut self) -> bool {
        let start = self.offset;
        self.take(b'-');
        let digits_start = self.offset;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.offset += 1;
        }
        let written = self.text.get(start..self.offset).unwrap_or_default();
        let digits = self.text.get(digits_start..self.offset).unwrap_or_default();
        let plain = !(digits.len() > 1 && digits.starts_with('0')) && written != "-0";
        // A fraction or an exponent is a character that nothing expects here.
        let number = written.parse::<i64>();
        plain && number.is_ok_and(|number| number.unsigned_abs() <= MAX_INTEGER.unsigned_abs())
    }

    /// The text between the quotes, as it is written.
    fn string(&mut self) -> Option<Text<'a>> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.offset;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.offset..)?;
            self.offset += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
            match self.peek() {
                Some(b'"') => {
                    let content = self.text.get(start..self.offset)?;
                    self.offset += 1;
                    return Some(Text { content, escaped });
                }
                Some(b'\\') if self.escape() => escaped = true,
                Some(_) | None => return None,
            }
        }
    }

    /// Only the escapes that are necessary, each in its one spelling.
    fn escape(&mut self) -> bool {
        self.offset += 1;
        let short = matches!(self.peek(), Some(b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r'));
        let long = || {
            let digits = self.text.get(self.offset..)?.strip_prefix("u00")?.get(..2)?;
            let lower = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
            let code = u8::from_str_radix(digits, 16).ok().filter(|_| lower)?;
            (code < b' ' && !matches!(code, 0x08 | b'\t' | b'\n' | 0x0c | b'\r')).then_some(())
        };
        let length = if short { 1 } else { long().map_or(0, |()| "u0000".len()) };
        self.offset += length;
        length > 0
    }

    fn word(&mut self, word: &'static str) -> bool {
        let found = self.text.get(self.offset..).is_some_and(|rest| rest.starts_with(word));
        self.offset += if found { word.len() } else { 0 };
        found
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.offset += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }
}

struct Text<'a> {
    content: &'a str,
    escaped: bool,
}
