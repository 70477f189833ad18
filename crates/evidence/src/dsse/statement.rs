//! in-toto Statement v1 (in-toto attestation framework, "Statement layer").

use chancery_canonical::Sha256;
use chancery_canonical::json::{self, Map, Value};
use serde::{Deserialize, Serialize};

use super::DsseError;

/// The statement's type.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The most subjects one statement may have.
const MAX_SUBJECTS: usize = 64;

/// A statement: what is said (`predicate`) about which things (`subject`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Map<String, Value>,
}

/// One thing that a statement is about, such as `request/<id>` with the request digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: SubjectDigest,
}

/// The digest of a subject; only SHA-256 is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectDigest {
    /// SHA-256, lower-case hexadecimal.
    pub sha256: Sha256,
}

impl Statement {
    /// A statement about one thing.
    pub fn new(
        subject_name: impl Into<String>,
        subject_digest: Sha256,
        predicate_type: impl Into<String>,
        predicate: Map<String, Value>,
    ) -> Self {
        let subject = Subject { name: subject_name.into(), digest: SubjectDigest { sha256: subject_digest } };
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![subject],
            predicate_type: predicate_type.into(),
            predicate,
        }
    }

    /// Reads a statement from a payload's bytes.
    ///
    /// # Errors
    /// Refuses loose JSON, unknown and repeated members, another statement type, and no or too many subjects.
    pub fn parse(payload: &[u8]) -> Result<Self, DsseError> {
        let value = json::parse(payload)?;
        let statement: Self = serde_json::from_value(value)
            .map_err(|error| DsseError::MalformedStatement(error.to_string()))?;
        if statement.statement_type != STATEMENT_TYPE {
            return Err(DsseError::MalformedStatement(format!("type is `{}`", statement.statement_type)));
        }
        if !(1..=MAX_SUBJECTS).contains(&statement.subject.len()) {
            return Err(DsseError::MalformedStatement(format!("{} subjects", statement.subject.len())));
        }
        Ok(statement)
    }

    /// The things it is about; at least one.
    pub fn subjects(&self) -> &[Subject] {
        &self.subject
    }

    /// The predicate's type, such as `urn:chancery:attestation:decision:v1`.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// What is said.
    pub fn predicate(&self) -> &Map<String, Value> {
        &self.predicate
    }
}
