//! What is typed on the command line and reaches the server.

use chancery_cli::arguments::{parameters, parse_seconds, parse_time, split};
use serde_json::{Map, Value, json};

/// Lines: each is a length of time, a moment, and `NAME=VALUE` for a form with a field of every type.
pub fn arguments(bytes: &[u8]) -> bool {
    crate::text(bytes, |text| {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let read = lines.iter().map(|line| seconds(line) | time(line) | halves(line));
        let read = read.fold(false, |taken, one| taken | one);
        form(&lines) | read
    })
}

fn seconds(text: &str) -> bool {
    let Ok(seconds) = parse_seconds(text) else { return false };
    assert!(seconds > 0, "a length of time is at least a second");
    assert_eq!(parse_seconds(&format!("{seconds}s")), Ok(seconds));
    true
}

fn time(text: &str) -> bool {
    let Ok(moment) = parse_time(text) else { return false };
    assert_eq!(parse_time(&moment.to_string()), Ok(moment));
    assert_eq!(moment.to_string().parse(), Ok(moment), "the server reads it the same");
    true
}

fn halves(text: &str) -> bool {
    let Ok((name, value)) = split(text, "--set") else { return false };
    assert!(!name.is_empty() && !name.contains('='));
    assert_eq!(format!("{name}={value}"), text);
    true
}

fn form(set: &[String]) -> bool {
    let kinds = ["string", "integer", "number", "boolean", "array", "object"];
    let fields: Map<String, Value> =
        kinds.iter().map(|kind| ((*kind).to_owned(), json!({"type": kind}))).collect();
    let form = json!({"properties": fields});
    let Ok(read) = parameters(set, &form) else { return false };
    assert_eq!(read.len(), set.len(), "no field is lost");
    let again: Vec<String> =
        read.iter().map(|(name, value)| format!("{name}={}", written(name, value))).collect();
    assert_eq!(parameters(&again, &form).ok(), Some(read), "fields that were written are read the same");
    !set.is_empty()
}

fn written(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) if !["integer", "number", "boolean", "array", "object"].contains(&name) => {
            text.clone()
        }
        other => other.to_string(),
    }
}
