//! What is typed on the command line and reaches the server: fields, lengths of time, moments.

use serde_json::{Map, Value};

use crate::failure::Failure;
pub use crate::moment::{parse_seconds, parse_time};

/// The fields of a form from `--set NAME=VALUE`, each of the type that the form gives it.
///
/// # Errors
/// Wrong usage: no name, a name twice, a value that is no JSON where the form wants some.
pub fn parameters(set: &[String], form: &Value) -> Result<Map<String, Value>, Failure> {
    let mut parameters = Map::new();
    for given in set {
        let (name, text) = split(given, "--set")?;
        let kind =
            form.get("properties").and_then(|fields| fields.get(name)).and_then(|field| field.get("type"));
        let value = match kind.and_then(Value::as_str) {
            Some("integer" | "number" | "boolean" | "array" | "object") => serde_json::from_str(text)
                .map_err(|fault| Failure::Usage(format!("`--set {name}`: `{text}` is not JSON ({fault})")))?,
            // The form says the rest, also that there is no such field.
            Some(_) | None => Value::from(text),
        };
        if parameters.insert(name.to_owned(), value).is_some() {
            return Err(Failure::Usage(format!("`--set {name}` is given twice")));
        }
    }
    Ok(parameters)
}

/// The two halves of `NAME=VALUE`, for a message that names the flag.
///
/// # Errors
/// Wrong usage, when there is no `=` or nothing before it.
pub fn split<'a>(given: &'a str, flag: &str) -> Result<(&'a str, &'a str), Failure> {
    given
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Failure::Usage(format!("`{flag} {given}`: write `{flag} NAME=VALUE`")))
}
