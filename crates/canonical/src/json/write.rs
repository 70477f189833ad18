//! The canonical writer: RFC 8785 for documents without floats, which makes it short.

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
    // By UTF-16 code units, which is not the order of the UTF-8 bytes once a name leaves the basic plane.
    sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
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

fn write_integer(text: &mut String, number: &serde_json::Number) -> Result<(), JsonError> {
    // A `u64` above `i64::MAX` is an integer too, only too large a one.
    if number.as_i64().is_none() && number.as_u64().is_some() {
        return Err(JsonError::IntegerTooLarge);
    }
    let integer = number.as_i64().ok_or(JsonError::Float)?;
    if integer.unsigned_abs() > MAX_INTEGER.unsigned_abs() {
        return Err(JsonError::IntegerTooLarge);
    }
    text.push_str(&integer.to_string());
    Ok(())
}

fn write_string(text: &mut String, content: &str) {
    text.push('"');
    for character in content.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            control if control < ' ' => {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}
