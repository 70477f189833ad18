//! What policy is asked about: facts, gathered by others, in the one shape that Rego sees
//! (interfaces.md §Policy bundle).

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::disclosure::{self, DisclosureError};
use chancery_canonical::json::{JsonError, Value};
use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::document::RequestDocument;
use chancery_domain::id::PersonId;
use chancery_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Largest input, in bytes of its canonical form.
pub const MAX_INPUT_BYTES: usize = 256 * 1024;

/// When policy is asked. It is asked again at every step, and each later answer can only tighten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// At submission; this verdict fixes the stages.
    Request,
    /// When somebody approves.
    Approve,
    /// Before a credential is minted.
    Issue,
    /// While the grant is in use.
    Runtime,
    /// When an approved change is applied.
    Change,
}

/// Everything that a verdict is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// When it is asked.
    pub phase: Phase,
    /// The request document itself, concealed as it was signed; its digest is the request digest.
    pub request: RequestDocument,
    /// The entitlement's data, as the bundle has it ([`crate::Entitlement::data`]).
    pub entitlement: Value,
    /// Who asks.
    pub requester: PersonFacts,
    /// Who receives it.
    pub beneficiary: PersonFacts,
    /// Timestamped facts, by name; a name that is absent is unknown.
    pub signals: BTreeMap<String, Signal>,
    /// Approvals that already count, oldest first.
    pub approvals: Vec<ApprovalFact>,
    /// Counts of the past by name, such as `requests_1h`, `grants_90d`.
    pub history: BTreeMap<String, u64>,
    /// The moment of asking.
    pub now: Timestamp,
    /// The same moment where the organisation works.
    pub calendar: Calendar,
}

/// A person, as the chained identity events describe them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonFacts {
    /// The person's random id.
    pub person: PersonId,
    /// Roles held.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Groups belonged to.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Signed attributes, such as `business_unit`.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Name for people. Concealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mail address. Concealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
}

/// Whether a signal says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalStatus {
    /// It does.
    Known,
    /// Its source was late, failed or had no answer. Never to be read as `false`.
    Unknown,
}

/// A timestamped fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Whether it says anything.
    pub status: SignalStatus,
    /// What it says; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// When its source saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
    /// How long before `now` that was, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// Who says so.
    pub source: String,
}

impl Signal {
    /// A fact that was seen.
    pub fn known(value: Value, observed_at: Timestamp, now: Timestamp, source: &str) -> Self {
        Self {
            status: SignalStatus::Known,
            value: Some(value),
            observed_at: Some(observed_at),
            age_seconds: Some(now.seconds_since(observed_at)),
            source: source.to_owned(),
        }
    }

    /// A source that gave no answer.
    pub fn unknown(source: &str) -> Self {
        Self {
            status: SignalStatus::Unknown,
            value: None,
            observed_at: None,
            age_seconds: None,
            source: source.to_owned(),
        }
    }
}

/// An approval that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalFact {
    /// Who approved.
    pub approver: PersonId,
    /// The stages it was given for.
    pub stages: BTreeSet<String>,
    /// When.
    pub approved_at: Timestamp,
}

/// A moment where the organisation works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// `monday` to `sunday`.
    pub weekday: Weekday,
    /// 0 to 23.
    pub hour: u8,
    /// IANA name, such as `Europe/Berlin`.
    pub timezone: String,
    /// Whether the organisation's calendar counts it as working time.
    pub working_hours: bool,
}

/// Day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of the days need no explanation")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Personal members of signals, as (signal, members of its value).
const PERSONAL_SIGNALS: [(&str, &[&str]); 2] = [
    ("device", &["host_name", "id", "name", "owner", "serial", "user_agent"]),
    ("origin", &["address", "city", "host_name"]),
];

/// An input as it is hashed and logged, and what makes it clear again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcealedInput {
    /// The canonical document, personal strings replaced by `_sd` digests. Its digest is `input_sha256`.
    pub document: Canonical,
    /// The clear strings, those of the request document among them.
    pub disclosures: Vec<Disclosure>,
}

impl ConcealedInput {
    /// Conceals what is personal in `input` with fresh salts; `request_disclosures` belong to the `_sd` digests
    /// that the request document brings along.
    ///
    /// # Errors
    /// When the input has no canonical form (an integer beyond 2^53, a float in a signal).
    pub fn conceal(
        input: &Input,
        request_disclosures: &[Disclosure],
        salts: &mut dyn FnMut() -> [u8; 16],
    ) -> Result<Self, DisclosureError> {
        let clear =
            serde_json::to_value(input).map_err(|error| JsonError::Unrepresentable(error.to_string()))?;
        let pointers = personal_pointers(&clear);
        let Value::Object(clear) = clear else {
            return Err(DisclosureError::NoMember { pointer: String::new() });
        };
        let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
        let (concealed, mut disclosures) = disclosure::conceal(clear, &pointers, salts)?;
        disclosures.extend_from_slice(request_disclosures);
        Ok(Self { document: Canonical::of_value(&Value::Object(concealed))?, disclosures })
    }

    /// The digest that verdicts name.
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(self.document.as_bytes())
    }
}

/// JSON pointers to everything personal that is present.
fn personal_pointers(input: &Value) -> Vec<String> {
    let people = ["requester", "beneficiary"]
        .iter()
        .flat_map(|party| ["mail", "name"].iter().map(move |member| format!("/{party}/{member}")));
    let signals = PERSONAL_SIGNALS.iter().flat_map(|(signal, members)| {
        members.iter().map(move |member| format!("/signals/{signal}/value/{member}"))
    });
    people.chain(signals).filter(|pointer| input.pointer(pointer).is_some()).collect()
}
