//! The canonical writer: RFC 8785 for documents without floats, which makes it short.

use std::cmp::Ordering;
use std::fmt::Write;

use super::{JsonError, MAX_DEPTH, MAX_INTEGER, Map, Value};

/// The canonical form (RFC 8785): no white space, members sorted by the UTF-16 code units of their names,
/// only the escapes that are necessary.
///
/// # Errors
/// Refuses floats, integers beyond ±(2^53 − 1) and nesting deeper than [`MAX_DEPTH`], as reading does.
pub fn to_canonical(value: &Value) -> Result<String, JsonError> {
    let mut text = String::new();
    write_value(&mut text, value, 0)?;
    Ok(text)
}

fn write_value(text: &mut String, value: &Value, depth: usize) -> Result<(), JsonError> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => write_integer(text, number)?,
        Value::String(content) => write_string(text, content),
        Value::Array(elements) => write_array(text, elements, one_deeper(depth)?)?,
        Value::Object(members) => write_object(text, members, one_deeper(depth)?)?,
    }
    Ok(())
}

fn one_deeper(depth: usize) -> Result<usize, JsonError> {
    if depth >= MAX_DEPTH { Err(JsonError::TooDeep) } else { Ok(depth + 1) }
}

fn write_array(text: &mut String, elements: &[Value], depth: usize) -> Result<(), JsonError> {
    text.push('[');
    for (position, element) in elements.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write_value(text, element, depth)?;
    }
    text.push(']');
    Ok(())
}

fn write_object(text: &mut String, members: &Map<String, Value>, depth: usize) -> Result<(), JsonError> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| compare(left, right));
    text.push('{');
    for (position, (name, value)) in sorted.into_iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write_string(text, name);
        text.push(':');
        write_value(text, value, depth)?;
    }
    text.push('}');
    Ok(())
}

/// By UTF-16 code units, which is not the order of the UTF-8 bytes once a name leaves the basic plane.
pub fn compare(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        return left.cmp(right);
    }
    left.encode_utf16().cmp(right.encode_utf16())
}

fn write_integer(text: &mut String, number: &serde_json::Number) -> Result<(), JsonError> {
    // A `u64` above `i64::MAX` is an integer too, only too large a one.
    if number.as_i64().is_none() && number.as_u64().is_some() {
        return Err(JsonError::IntegerTooLarge);
    }
    let integer = number.as_i64().ok_or(JsonError::Float)?;
    if integer.unsigned_abs() > MAX_INTEGER.unsigned_abs() {
        return Err(JsonError::IntegerTooLarge);
    }
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{integer}");
    Ok(())
}

fn write_string(text: &mut String, content: &str) {
    text.push('"');
    let mut rest = content;
    // What needs an escape is one byte of ASCII, so both sides of it are text.
    while let Some((plain, escaped, after)) = split_at_escape(rest) {
        text.push_str(plain);
        write_escape(text, escaped);
        rest = after;
    }
    text.push_str(rest);
    text.push('"');
}

/// The text before the first character that needs an escape, that character, and the text after it.
fn split_at_escape(text: &str) -> Option<(&str, u8, &str)> {
    let position = text.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
    let escaped = text.as_bytes().get(position)?;
    Some((text.get(..position)?, *escaped, text.get(position + 1..)?))
}

fn write_escape(text: &mut String, escaped: u8) {
    match escaped {
        b'"' => text.push_str("\\\""),
        b'\\' => text.push_str("\\\\"),
        0x08 => text.push_str("\\b"),
        b'\t' => text.push_str("\\t"),
        b'\n' => text.push_str("\\n"),
        0x0c => text.push_str("\\f"),
        b'\r' => text.push_str("\\r"),
        control => {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\\u{control:04x}");
        }
    }
}
