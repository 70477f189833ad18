//! The elements that modules put into the sets, checked one by one.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::json::Value;
use chancery_domain::verdict::{Reason, RiskFactor, Selector, Stage};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Most elements in one set of one root.
pub const MAX_ELEMENTS: usize = 256;

/// Longest name of a rule, factor, stage, scope or obligation, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// Longest text for people, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024;

/// Most members of a list inside an element: scopes, values, selectors.
const MAX_LIST: usize = 256;

/// Largest points of one factor, either way.
const MAX_POINTS: i32 = 100;

/// What one root says, every element of the right shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootContribution {
    /// The package.
    pub root: String,
    /// Whether its `allow` counts.
    pub may_allow: bool,
    /// Whether it may carry negative points.
    pub may_reduce: bool,
    /// `deny`.
    pub deny: BTreeSet<Reason>,
    /// `risk`.
    pub risk: BTreeSet<RiskFactor>,
    /// `stage`.
    pub stages: Vec<Stage>,
    /// `constraint`.
    pub constraints: Vec<Constraint>,
    /// `obligation`.
    pub obligations: BTreeSet<String>,
    /// `allow`: the rules that say so.
    pub allow: BTreeSet<String>,
}

/// One element of `constraint`: it can only shorten clocks and narrow scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// See [`chancery_domain::verdict::Constraints`].
    pub pending_seconds: Option<u64>,
    /// See [`chancery_domain::verdict::Constraints`].
    pub approval_validity_seconds: Option<u64>,
    /// See [`chancery_domain::verdict::Constraints`].
    pub grant_seconds: Option<u64>,
    /// See [`chancery_domain::verdict::Constraints`].
    pub session_seconds: Option<u64>,
    /// Allowed values by scope; intersected with everybody else's.
    #[serde(default)]
    pub scopes: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    rule: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenStage {
    id: String,
    quorum: u32,
    from: Selector,
    #[serde(default)]
    after: BTreeSet<String>,
}

/// An element that is not what its set holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an element of `{root}.{set}` is not of its shape: {cause}")]
pub struct ShapeError {
    /// The package.
    pub root: String,
    /// The set.
    pub set: String,
    /// What is wrong.
    pub cause: String,
}

impl RootContribution {
    /// Adds one element to the set of that name. Sets that do not make a verdict are refused.
    ///
    /// # Errors
    /// When the element is not of the set's shape.
    pub fn add(&mut self, set: &str, element: &Value) -> Result<(), ShapeError> {
        self.checked_add(set, element).map_err(|cause| ShapeError {
            root: self.root.clone(),
            set: set.to_owned(),
            cause,
        })
    }

    fn checked_add(&mut self, set: &str, element: &Value) -> Result<(), String> {
        match set {
            "deny" => self.deny.insert(checked_reason(read(element)?)?),
            "risk" => self.risk.insert(checked_factor(read(element)?)?),
            "stage" => {
                self.stages.push(checked_stage(read(element)?)?);
                true
            }
            "constraint" => {
                self.constraints.push(checked_constraint(read(element)?)?);
                true
            }
            "obligation" => self.obligations.insert(name(read(element)?)?),
            "allow" => self.allow.insert(name(read::<Allow>(element)?.rule)?),
            other => return Err(format!("`{other}` makes no verdict")),
        };
        Ok(())
    }
}

fn read<T: DeserializeOwned>(element: &Value) -> Result<T, String> {
    T::deserialize(element).map_err(|cause| cause.to_string())
}

/// A stable name: letters, digits and `_.-:`, at least one.
fn name(text: String) -> Result<String, String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_.-:".contains(&b);
    if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(good) {
        return Err("a name must be 1 to 64 ASCII letters, digits, `_`, `.`, `-` or `:`".to_owned());
    }
    Ok(text)
}

fn text(text: String) -> Result<String, String> {
    if text.len() > MAX_TEXT_BYTES { Err("a text is longer than 1024 bytes".to_owned()) } else { Ok(text) }
}

fn checked_reason(reason: Reason) -> Result<Reason, String> {
    Ok(Reason { rule: name(reason.rule)?, message: text(reason.message)?, remedy: text(reason.remedy)? })
}

fn checked_factor(factor: RiskFactor) -> Result<RiskFactor, String> {
    if !(-MAX_POINTS..=MAX_POINTS).contains(&factor.points) {
        return Err("points must be within -100 and 100".to_owned());
    }
    if factor.factor == crate::compose::BOUNDED {
        return Err("the factor `bounded` is the host's own".to_owned());
    }
    Ok(RiskFactor { factor: name(factor.factor)?, points: factor.points, detail: text(factor.detail)? })
}

fn checked_stage(stage: OpenStage) -> Result<Stage, String> {
    let OpenStage { id, quorum, from, after } = stage;
    if selector_size(&from) > MAX_LIST || after.len() > MAX_LIST {
        return Err("a stage names more than 256 selectors or stages".to_owned());
    }
    let after = after.into_iter().map(name).collect::<Result<_, _>>()?;
    Ok(Stage { id: name(id)?, quorum, from, after })
}

fn selector_size(selector: &Selector) -> usize {
    match selector {
        Selector::All(inner) | Selector::Any(inner) => 1 + inner.iter().map(selector_size).sum::<usize>(),
        Selector::Not(inner) => 1 + selector_size(inner),
        Selector::Attribute(attributes) => attributes.len().max(1),
        Selector::Role(_) | Selector::Group(_) | Selector::Person(_) | Selector::ManagerOf(_) => 1,
    }
}

fn checked_constraint(constraint: Constraint) -> Result<Constraint, String> {
    let values: usize = constraint.scopes.values().map(BTreeSet::len).sum();
    if constraint.scopes.len() > MAX_LIST || values > MAX_LIST {
        return Err("a constraint names more than 256 scopes or values".to_owned());
    }
    if constraint == Constraint::default() {
        return Err("a constraint constrains nothing: name a clock or a scope".to_owned());
    }
    for scope in constraint.scopes.keys() {
        name(scope.clone())?;
    }
    Ok(constraint)
}
