//! What an entitlement reaches, in sentences for approvers: `blast_radius` of its data, with `{parameter}` in them.

use chancery_canonical::json::{Map, Value};

/// Most sentences.
const MOST: usize = 8;
/// Longest sentence, in characters.
const LONGEST: usize = 200;

/// Why a sentence is refused.
pub fn problem(sentences: &[String], has: impl Fn(&str) -> bool) -> Option<String> {
    if sentences.len() > MOST {
        return Some(format!("more than {MOST} sentences"));
    }
    sentences.iter().find_map(|sentence| {
        let length = sentence.chars().count();
        if !(1..=LONGEST).contains(&length) || sentence.chars().any(char::is_control) {
            return Some(format!("write sentences of 1 to {LONGEST} characters on one line"));
        }
        match pieces(sentence) {
            None => Some(format!("`{sentence}` has a brace that is not closed")),
            Some(pieces) => pieces.into_iter().find_map(|piece| match piece {
                Piece::Parameter(name) if !has(name) => {
                    Some(format!("it names the parameter `{name}`, which the form does not have: add it"))
                }
                Piece::Parameter(_) | Piece::Text(_) => None,
            }),
        }
    })
}

/// The sentences of an entitlement's data, filled in. One whose parameter was left out is left out itself.
pub fn blast_radius(entitlement: &Value, parameters: &Map<String, Value>) -> Vec<String> {
    let sentences = entitlement.get("blast_radius").and_then(Value::as_array).into_iter().flatten();
    sentences.filter_map(Value::as_str).filter_map(|sentence| fill(sentence, parameters)).collect()
}

fn fill(sentence: &str, parameters: &Map<String, Value>) -> Option<String> {
    let filled = pieces(sentence)?.into_iter().map(|piece| match piece {
        Piece::Text(text) => Some(text.to_owned()),
        Piece::Parameter(name) => match parameters.get(name)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        },
    });
    filled.collect()
}

enum Piece<'a> {
    Text(&'a str),
    Parameter(&'a str),
}

/// `None` when a brace is not closed.
fn pieces(sentence: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, further) = after.split_once('}')?;
        pieces.extend([Piece::Text(before), Piece::Parameter(name)]);
        rest = further;
    }
    pieces.push(Piece::Text(rest));
    Some(pieces)
}
