//! What is to be filled in to ask for an entitlement: the part of JSON Schema (draft 2020-12) that a form needs,
//! and nothing that a reader of the bundle could misjudge.
//!
//! A form is an object of named values, closed (`additionalProperties: false`), each of type string, integer or
//! boolean. Known keywords of a value: `type`, `title`, `description`, `enum`, `pattern` (anchored with `^` and
//! `$`), `minLength`, `maxLength`, `minimum`, `maximum`. A string needs `maxLength` or `enum`. Everything else is
//! refused when the bundle is loaded, so no keyword is silently without effect.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::json::{Map, Value};
use regex::Regex;
use serde::Deserialize;

/// Largest compiled pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 64 * 1024;

/// A form, ready to check parameters.
#[derive(Clone, Debug)]
pub struct Form {
    schema: Value,
    fields: BTreeMap<String, Field>,
    required: BTreeSet<String>,
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
    }
}

impl Eq for Form {}

/// Why a form is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {cause}")]
pub struct FormError {
    /// Where, as a field's name, or `form`.
    pub pointer: String,
    /// What is wrong, and the remedy.
    pub cause: String,
}

/// One thing that is wrong with filled-in parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// JSON pointer into the parameters (RFC 6901).
    pub pointer: String,
    /// What is wrong; never the value itself.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    #[serde(rename = "type")]
    kind: ObjectType,
    #[serde(rename = "additionalProperties")]
    additional_properties: bool,
    #[serde(default)]
    required: BTreeSet<String>,
    properties: BTreeMap<String, Property>,
    #[serde(default, rename = "title")]
    _title: Option<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ObjectType {
    Object,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FieldType {
    String,
    Integer,
    Boolean,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Property {
    #[serde(rename = "type")]
    kind: FieldType,
    #[serde(rename = "title")]
    _title: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "enum")]
    values: Option<Vec<Value>>,
    pattern: Option<String>,
    #[serde(rename = "minLength")]
    min_length: Option<u64>,
    #[serde(rename = "maxLength")]
    max_length: Option<u64>,
    minimum: Option<i64>,
    maximum: Option<i64>,
}

#[derive(Clone, Debug)]
struct Field {
    kind: FieldType,
    values: Option<Vec<Value>>,
    /// Compiled, and as it was written.
    pattern: Option<(Regex, String)>,
    lengths: (u64, u64),
    numbers: (i64, i64),
}

impl Form {
    /// Reads a schema.
    ///
    /// # Errors
    /// Everything outside of the part of JSON Schema that is described above.
    pub fn parse(schema: &Value) -> Result<Self, FormError> {
        let refused =
            |pointer: &str, cause: &str| FormError { pointer: pointer.to_owned(), cause: cause.to_owned() };
        let parsed: Schema =
            serde_json::from_value(schema.clone()).map_err(|cause| refused("form", &cause.to_string()))?;
        let ObjectType::Object = parsed.kind;
        if parsed.additional_properties {
            return Err(refused("form", "`additionalProperties` must be false"));
        }
        if let Some(name) = parsed.required.iter().find(|name| !parsed.properties.contains_key(*name)) {
            return Err(refused(name, "it is required, but not among `properties`"));
        }
        let mut fields = BTreeMap::new();
        for (name, property) in parsed.properties {
            let field = Field::parse(property).map_err(|cause| refused(&name, &cause))?;
            fields.insert(name, field);
        }
        Ok(Self { schema: schema.clone(), fields, required: parsed.required })
    }

    /// The schema, for pages that draw it.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Whether there is a field of this name.
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Everything that is wrong with these parameters, sorted; nothing when they are good.
    pub fn violations(&self, parameters: &Map<String, Value>) -> Vec<Violation> {
        let violation = |name: &str, message: &str| Violation {
            pointer: format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            message: message.to_owned(),
        };
        let missing = self.required.iter().filter(|name| !parameters.contains_key(*name));
        let mut found: Vec<Violation> = missing.map(|name| violation(name, "is required")).collect();
        for (name, value) in parameters {
            match self.fields.get(name) {
                // The name is not repeated at length: it is anybody's text.
                None => found.push(violation(
                    &name.chars().take(64).collect::<String>(),
                    "is not a field of this form",
                )),
                Some(field) => found.extend(field.violation(value).map(|message| violation(name, &message))),
            }
        }
        found.sort();
        found
    }
}

impl Field {
    fn parse(property: Property) -> Result<Self, String> {
        let Property { kind, values, pattern, min_length, max_length, minimum, maximum, .. } = property;
        let of_text = pattern.is_some() || min_length.is_some() || max_length.is_some();
        let of_number = minimum.is_some() || maximum.is_some();
        let misplaced = match kind {
            FieldType::String => of_number,
            FieldType::Integer => of_text,
            FieldType::Boolean => of_text || of_number,
        };
        if misplaced {
            return Err("a keyword does not fit its type: remove it".to_owned());
        }
        if matches!(kind, FieldType::String) && max_length.is_none() && values.is_none() {
            return Err("a string needs `maxLength` or `enum`: add one".to_owned());
        }
        let compiled = pattern.as_deref().map(compile).transpose()?;
        let field = Self {
            kind,
            values: None,
            pattern: compiled.zip(pattern),
            lengths: (min_length.unwrap_or(0), max_length.unwrap_or(u64::MAX)),
            numbers: (minimum.unwrap_or(i64::MIN), maximum.unwrap_or(i64::MAX)),
        };
        match values {
            None => Ok(field),
            Some(values) if values.is_empty() => Err("`enum` is empty: name at least one value".to_owned()),
            Some(values) if values.iter().any(|value| field.violation(value).is_some()) => {
                Err("`enum` names a value that the other keywords refuse: remove it".to_owned())
            }
            Some(values) => Ok(Self { values: Some(values), ..field }),
        }
    }

    fn violation(&self, value: &Value) -> Option<String> {
        let wrong = match (self.kind, value) {
            (FieldType::Boolean, Value::Bool(_)) => None,
            (FieldType::Integer, Value::Number(number)) => self.number_violation(number.as_i64()),
            (FieldType::String, Value::String(text)) => self.text_violation(text),
            (FieldType::Boolean, _) => Some("must be true or false".to_owned()),
            (FieldType::Integer, _) => Some("must be an integer".to_owned()),
            (FieldType::String, _) => Some("must be a string".to_owned()),
        };
        let unlisted =
            || self.values.as_ref().filter(|values| !values.contains(value)).map(|values| listed(values));
        wrong.or_else(unlisted)
    }

    fn number_violation(&self, number: Option<i64>) -> Option<String> {
        let (minimum, maximum) = self.numbers;
        match number {
            None => Some("must be an integer".to_owned()),
            Some(number) if number < minimum => Some(format!("must be at least {minimum}")),
            Some(number) if number > maximum => Some(format!("must be at most {maximum}")),
            Some(_) => None,
        }
    }

    fn text_violation(&self, text: &str) -> Option<String> {
        let (shortest, longest) = self.lengths;
        // JSON Schema counts characters, not bytes.
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        if length < shortest {
            return Some(format!("must have at least {shortest} characters"));
        }
        if length > longest {
            return Some(format!("must have at most {longest} characters"));
        }
        let (_, written) = self.pattern.as_ref().filter(|(compiled, _)| !compiled.is_match(text))?;
        Some(format!("must match `{written}`"))
    }
}

fn listed(values: &[Value]) -> String {
    let names: Vec<String> = values
        .iter()
        .map(|value| format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    format!("must be one of {}", names.join(", "))
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let Some(inner) = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')) else {
        return Err("`pattern` must start with `^` and end with `$`".to_owned());
    };
    // In a group of its own, so that alternatives do not escape the anchors.
    regex::RegexBuilder::new(&format!("^(?:{inner})$"))
        .size_limit(MAX_PATTERN_BYTES)
        .build()
        .map_err(|_| "`pattern` is no regular expression of a sensible size: correct it".to_owned())
}
