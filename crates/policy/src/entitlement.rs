//! A named thing that may be requested: the typed view of `entitlements/<name>/data.yaml`.

mod certificate;
mod reach;

use chancery_canonical::json::{Map, Value};
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::verdict::{Constraints, Selector};
use serde::{Deserialize, Serialize};

use crate::form::{Form, FormError};
use crate::input::PersonFacts;

pub use certificate::{CertificateRefusal, CertificateTerms, Scopes, blocks};
pub use reach::blast_radius;

/// An entitlement of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    name: String,
    data: Value,
    digest: Sha256,
    definition: Definition,
    form: Form,
}

/// The whole file. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    kind: Kind,
    title: String,
    description: String,
    form: Value,
    clocks: Clocks,
    connector: Connector,
    risk_tier: RiskTier,
    may_ask: Selector,
    #[serde(default)]
    independent_display: bool,
    #[serde(default)]
    blast_radius: Vec<String>,
    /// What an organisation's own rules read; the host does not.
    #[serde(default, rename = "policy")]
    _policy: Map<String, Value>,
}

/// What is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A credential for a while.
    Access,
    /// A change that is applied, and can be undone.
    Change,
}

/// How dangerous it is by itself; rules give points for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of the tiers need no explanation")]
pub enum RiskTier {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clocks {
    pending_seconds: u64,
    approval_validity_seconds: u64,
    grant_seconds: u64,
    session_seconds: u64,
}

/// Who carries the grant out, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connector {
    /// OpenSSH user certificates.
    Ssh(SshConnector),
    /// Logins of a PostgreSQL server, or scripts run on one.
    Postgresql(PostgresqlConnector),
    /// A role of Chancery itself.
    Role(RoleConnector),
}

/// Where a value comes from: the filled form, or the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// The value of this parameter; nothing when it was left out.
    Parameter(String),
    /// This value.
    Fixed(String),
}

/// What an OpenSSH user certificate says (PROTOCOL.certkeys of OpenSSH).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshConnector {
    /// The host that is meant; certificates themselves do not name one.
    pub host: Binding,
    /// The login name.
    pub principal: Binding,
    /// Critical option `force-command`.
    #[serde(default)]
    pub force_command: Option<Binding>,
    /// Critical option `source-address`: address blocks, separated by commas.
    #[serde(default)]
    pub source_address: Option<Binding>,
    /// Extensions.
    pub permit: SshExtensions,
}

/// Extensions of an OpenSSH user certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshExtensions {
    /// `permit-pty`.
    pub pty: bool,
    /// `permit-port-forwarding`.
    pub port_forwarding: bool,
    /// `permit-agent-forwarding`.
    pub agent_forwarding: bool,
}

/// A PostgreSQL server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresqlConnector {
    /// The database.
    pub database: Binding,
    /// The role that a login is a member of.
    pub role: Binding,
}

/// A role of Chancery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleConnector {
    /// The role.
    pub role: Binding,
}

/// Why an entitlement's data is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntitlementError {
    /// A name that cannot stand in a path or a command line.
    #[error("`{0}` is no name for an entitlement: use lower-case letters, digits and `-`, at most 64")]
    Name(String),
    /// The data is not of the shape.
    #[error("{0}")]
    Shape(String),
    /// The form is not usable.
    #[error("`form`: {0}")]
    Form(#[from] FormError),
    /// A clock of nothing.
    #[error("a clock is 0 seconds: give each at least one")]
    Clock,
    /// The connector reads what nobody fills in.
    #[error("`connector` reads the parameter `{0}`, which the form does not have: add it")]
    Binding(String),
    /// A sentence that cannot be filled in.
    #[error("`blast_radius`: {0}")]
    Reach(String),
}

impl Binding {
    /// The value, if there is one. Only strings are bound.
    pub fn resolve<'a>(&'a self, parameters: &'a Map<String, Value>) -> Option<&'a str> {
        match self {
            Self::Fixed(value) => Some(value),
            Self::Parameter(name) => parameters.get(name).and_then(Value::as_str),
        }
    }
}

impl Connector {
    fn bindings(&self) -> Vec<&Binding> {
        match self {
            Self::Ssh(ssh) => {
                let optional = ssh.force_command.iter().chain(&ssh.source_address);
                [&ssh.host, &ssh.principal].into_iter().chain(optional).collect()
            }
            Self::Postgresql(postgresql) => vec![&postgresql.database, &postgresql.role],
            Self::Role(role) => vec![&role.role],
        }
    }
}

impl Entitlement {
    /// Reads the data of one entitlement.
    ///
    /// # Errors
    /// [`EntitlementError`]: the first thing that is wrong.
    pub fn parse(name: &str, data: &Value) -> Result<Self, EntitlementError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err(EntitlementError::Name(name.chars().take(64).collect()));
        }
        let definition: Definition = serde_json::from_value(data.clone())
            .map_err(|cause| EntitlementError::Shape(cause.to_string()))?;
        let form = Form::parse(&definition.form)?;
        let Clocks { pending_seconds, approval_validity_seconds, grant_seconds, session_seconds } =
            definition.clocks;
        if [pending_seconds, approval_validity_seconds, grant_seconds, session_seconds].contains(&0) {
            return Err(EntitlementError::Clock);
        }
        for binding in definition.connector.bindings() {
            if let Binding::Parameter(parameter) = binding
                && !form.has(parameter)
            {
                return Err(EntitlementError::Binding(parameter.clone()));
            }
        }
        if let Some(problem) = reach::problem(&definition.blast_radius, |name| form.has(name)) {
            return Err(EntitlementError::Reach(problem));
        }
        let canonical = Canonical::of(data).map_err(|cause| EntitlementError::Shape(cause.to_string()))?;
        let digest = Sha256::of(canonical.as_bytes());
        Ok(Self { name: name.to_owned(), data: data.clone(), digest, definition, form })
    }

    /// Its name in the bundle.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its data, as `data.entitlements[name]` and `input.entitlement` of Rego.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// SHA-256 of JCS of its data: what a request document names.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// Access or change.
    pub fn kind(&self) -> Kind {
        self.definition.kind
    }

    /// A few words for people.
    pub fn title(&self) -> &str {
        &self.definition.title
    }

    /// A sentence for people.
    pub fn description(&self) -> &str {
        &self.definition.description
    }

    /// What is to be filled in.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The longest clocks there are, without scopes.
    pub fn clocks(&self) -> Constraints {
        let Clocks { pending_seconds, approval_validity_seconds, grant_seconds, session_seconds } =
            self.definition.clocks;
        Constraints {
            pending_seconds,
            approval_validity_seconds,
            grant_seconds,
            session_seconds,
            scopes: std::collections::BTreeMap::new(),
        }
    }

    /// Who carries it out.
    pub fn connector(&self) -> &Connector {
        &self.definition.connector
    }

    /// How dangerous it is by itself.
    pub fn risk_tier(&self) -> RiskTier {
        self.definition.risk_tier
    }

    /// Who may ask.
    pub fn may_ask_selector(&self) -> &Selector {
        &self.definition.may_ask
    }

    /// Whether decisions count only from web origins that are served elsewhere (trust.md).
    pub fn independent_display(&self) -> bool {
        self.definition.independent_display
    }

    /// Whether this person may ask. What these facts cannot tell counts as no.
    pub fn may_ask(&self, person: &PersonFacts) -> bool {
        means(&self.definition.may_ask, person) == Some(true)
    }
}

/// Whether a selector means a person; `None` where the facts do not say.
fn means(selector: &Selector, person: &PersonFacts) -> Option<bool> {
    match selector {
        // Some(false) beats None beats Some(true), and an empty list means nobody.
        Selector::All(inner) if inner.is_empty() => Some(false),
        Selector::All(inner) => {
            let answers: Vec<_> = inner.iter().map(|selector| means(selector, person)).collect();
            if answers.contains(&Some(false)) {
                Some(false)
            } else {
                answers.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
            }
        }
        Selector::Any(inner) => {
            let answers: Vec<_> = inner.iter().map(|selector| means(selector, person)).collect();
            if answers.contains(&Some(true)) {
                Some(true)
            } else {
                answers.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
            }
        }
        Selector::Not(inner) => means(inner, person).map(|answer| !answer),
        Selector::Role(role) => Some(person.roles.contains(role)),
        Selector::Group(group) => Some(person.groups.contains(group)),
        Selector::Attribute(wanted) if wanted.is_empty() => Some(false),
        Selector::Attribute(wanted) => {
            Some(wanted.iter().all(|(name, value)| person.attributes.get(name) == Some(value)))
        }
        Selector::Person(id) => Some(*id == person.person),
        Selector::ManagerOf(_) => None,
    }
}
