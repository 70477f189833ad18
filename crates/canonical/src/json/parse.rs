//! The strict reader: RFC 8259 grammar, minus everything that two readers could understand differently.

use serde_json::map::Entry;

use super::{JsonError, MAX_BYTES, MAX_DEPTH, MAX_INTEGER, Map, Value};

/// Reads one JSON document.
///
/// # Errors
/// Refuses floats (also `1.0`, `1e2` and `-0`), integers beyond ±(2^53 − 1), duplicate member names, invalid
/// UTF-8, lone surrogates, nesting deeper than [`MAX_DEPTH`], text after the document, and more than
/// [`MAX_BYTES`] bytes. A byte order mark is a syntax error.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    if bytes.len() > MAX_BYTES {
        return Err(JsonError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
    let mut reader = Reader { text, offset: 0 };
    reader.skip_space();
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.offset < text.len() {
        return Err(JsonError::TrailingData { offset: reader.offset });
    }
    Ok(value)
}

// INVARIANT: `offset` stands on a character boundary of `text`, or at its end.
struct Reader<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            Some(_) | None => Err(self.syntax("a value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.open(depth)?;
        let mut members = Map::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.expect(b':', "`:` after a member name")?;
            self.skip_space();
            let value = self.value(depth)?;
            match members.entry(name) {
                Entry::Vacant(place) => place.insert(value),
                Entry::Occupied(place) => {
                    return Err(JsonError::DuplicateKey { name: place.key().clone() });
                }
            };
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            self.expect(b',', "`,` or `}` after a member")?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.open(depth)?;
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            self.skip_space();
            elements.push(self.value(depth)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            self.expect(b',', "`,` or `]` after an element")?;
        }
    }

    /// Steps over the opening bracket, whose presence the caller has seen.
    fn open(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.offset += 1;
        self.skip_space();
        Ok(())
    }

    fn integer(&mut self) -> Result<Value, JsonError> {
        let start = self.offset;
        let negative = self.take(b'-');
        let digits_start = self.offset;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.offset += 1;
        }
        let digits = self.between(digits_start, self.offset);
        if digits.is_empty() {
            return Err(self.syntax("a digit"));
        }
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(JsonError::Syntax {
                offset: digits_start,
                expected: "a number without leading zeros",
            });
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) || (negative && digits == "0") {
            return Err(JsonError::Float);
        }
        let written = self.between(start, self.offset);
        match written.parse::<i64>() {
            Ok(number) if number.unsigned_abs() <= MAX_INTEGER.unsigned_abs() => Ok(Value::from(number)),
            Ok(_) | Err(_) => Err(JsonError::IntegerTooLarge),
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.expect(b'"', "`\"` before a string")?;
        let mut content = String::new();
        loop {
            let run_start = self.offset;
            let rest = self.text.as_bytes().get(run_start..).unwrap_or_default();
            let plain = |byte: &u8| *byte != b'"' && *byte != b'\\' && *byte >= 0x20;
            self.offset += rest.iter().take_while(|byte| plain(byte)).count();
            content.push_str(self.between(run_start, self.offset));
            match self.peek() {
                Some(b'"') => {
                    self.offset += 1;
                    return Ok(content);
                }
                Some(b'\\') => content.push(self.escape()?),
                Some(_) => return Err(self.syntax("control characters to be escaped")),
                None => return Err(self.syntax("`\"` after a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.offset;
        self.offset += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.offset += 1;
                return self.unicode_escape(start);
            }
            Some(_) | None => return Err(self.syntax("an escape character")),
        };
        self.offset += 1;
        Ok(character)
    }

    /// Reads the four digits after `\u`, and the second escape of a surrogate pair where one begins.
    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        let first = self.four_hex_digits()?;
        let lone = JsonError::LoneSurrogate { offset: start };
        let code = if (0xd800..0xdc00).contains(&first) {
            if !(self.take(b'\\') && self.take(b'u')) {
                return Err(lone);
            }
            let second = self.four_hex_digits()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(lone);
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or(lone)
    }

    fn four_hex_digits(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.syntax("four hexadecimal digits"));
            };
            code = code * 16 + digit;
            self.offset += 1;
        }
        Ok(code)
    }

    fn literal(&mut self, word: &'static str, value: Value) -> Result<Value, JsonError> {
        if self.text.get(self.offset..).is_some_and(|rest| rest.starts_with(word)) {
            self.offset += word.len();
            Ok(value)
        } else {
            Err(self.syntax("`true`, `false` or `null`"))
        }
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.syntax(expected)) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.offset += 1;
        }
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.offset += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    // Both ends stand next to ASCII or at an end of the text, so the slice always exists.
    fn between(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn syntax(&self, expected: &'static str) -> JsonError {
        JsonError::Syntax { offset: self.offset, expected }
    }
}
