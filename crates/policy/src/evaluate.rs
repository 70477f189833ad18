//! Runs a bundle over an input. Whatever goes wrong on the way is a `deny`.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::disclosure::{self, DisclosureError};
use chancery_canonical::json::{self, JsonError, Value};
use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::document::RequestDocument;
use chancery_domain::verdict::{Constraints, Outcome, Reason, Risk, RiskFactor, Verdict, VerdictDocument};
use serde::de::DeserializeOwned;

use crate::bundle::{Bundle, BundleError, Contribution};
use crate::compose::{Composed, Terms, compose, refusal};
use crate::contribution::{RootContribution, ShapeError};
use crate::engine_version;
use crate::entitlement::Entitlement;
use crate::input::{ConcealedInput, MAX_INPUT_BYTES, PersonFacts};
use crate::rego::{self, Question, Sets};

/// A bundle, ready to judge. Prepared once; each judgement works on a copy, so one never sees another.
#[derive(Clone)]
pub struct Engine {
    bundle: Bundle,
    prepared: regorus::Engine,
}

/// A verdict, and beside it, for the operator's log, what went wrong when it is a `deny` for a fault.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The fault behind it. Its details never stand in the verdict.
    pub fault: Option<PolicyFault>,
}

/// What went wrong in an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// The input is no input.
    #[error("the input cannot be judged: {0}")]
    Input(String),
    /// Disclosures are missing or foreign.
    #[error("the input's disclosures do not fit: {0}")]
    Disclosures(#[from] DisclosureError),
    /// A rule failed: an error of a builtin, a conflict, out of fuel.
    #[error("`{rule}` cannot be evaluated: {cause}")]
    Evaluation {
        /// The rule.
        rule: String,
        /// What the engine says.
        cause: String,
    },
    /// The engine panicked.
    #[error("`{rule}` trapped")]
    Trap {
        /// The rule.
        rule: String,
    },
    /// An element is not of its set's shape.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The bundle asks for another engine.
    #[error("the bundle asks for the engine `{wanted}`: activate it on that one")]
    OtherEngine {
        /// What it asks for.
        wanted: String,
    },
    /// A set that is not watched.
    #[error("`{0}` is not watched: ask for `alert` or `violation`")]
    NotWatched(String),
    /// The verdict has no canonical form.
    #[error("the verdict cannot be written: {0}")]
    Document(#[from] JsonError),
}

impl Engine {
    /// Compiles the bundle's judging modules.
    ///
    /// # Errors
    /// [`BundleError::Rego`] when the engine does not take them.
    pub fn prepare(bundle: Bundle) -> Result<Self, BundleError> {
        let prepared = rego::compile(&bundle, false)?;
        Ok(Self { bundle, prepared })
    }

    /// The bundle.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Judges. A fault is a `deny` that names the rule `engine.fault`.
    ///
    /// # Errors
    /// Only when not even that `deny` can be written; the caller then refuses.
    pub fn judge(&self, input: &ConcealedInput) -> Result<Judgement, PolicyFault> {
        let input_sha256 = input.sha256();
        let (composed, fault) = match self.judged(input) {
            Ok(composed) => (composed, None),
            Err(fault) => (faulted(), Some(fault)),
        };
        let verdict = self.bound(conceal_texts(composed, &input.disclosures), input_sha256)?;
        Ok(Judgement { verdict, fault })
    }

    /// The elements of one of the sets that make no verdict: `violation` or `alert`, sorted. The input is the
    /// observed activity with its grant, or the event with its counts.
    ///
    /// # Errors
    /// Any fault; the caller alarms, as it would for an element.
    pub fn watch(&self, set: &str, input: &Canonical) -> Result<Vec<Value>, PolicyFault> {
        let question = match set {
            "alert" => Question::Alert,
            "violation" => Question::Violation,
            other => return Err(PolicyFault::NotWatched(other.to_owned())),
        };
        Ok(self.ask(question, &input.value())?.into_values().flatten().collect())
    }

    fn judged(&self, input: &ConcealedInput) -> Result<Composed, PolicyFault> {
        if let Some(wanted) =
            self.bundle.settings().engine.as_deref().filter(|wanted| *wanted != engine_version())
        {
            return Err(PolicyFault::OtherEngine { wanted: wanted.to_owned() });
        }
        let document = input.document.value();
        // The request document is read as it was signed, with its digests in place; the rest in the clear.
        let request = member(&document, "request")?;
        let clear = reveal(document, &input.disclosures)?;
        self.check_size(input, &clear)?;
        let requester = member(&clear, "requester")?;
        let entitlement = clear.get("entitlement").unwrap_or(&Value::Null);
        let facts = Facts { request, entitlement, requester };
        let sets = self.ask(Question::Verdict, &clear)?;
        let terms = terms(&self.bundle, &facts);
        Ok(compose(&self.contributed(sets)?, &terms))
    }

    fn check_size(&self, input: &ConcealedInput, clear: &Value) -> Result<(), PolicyFault> {
        let memory = usize::try_from(self.bundle.settings().limits.memory_bytes).unwrap_or(usize::MAX);
        let limit = MAX_INPUT_BYTES.min(memory);
        // A disclosure is longer than what it discloses, so this is more than the clear form has.
        let disclosed = input.disclosures.iter().map(|disclosure| disclosure.as_str().len());
        let at_most = disclosed.fold(input.document.as_str().len(), usize::saturating_add);
        if at_most <= limit || json::to_canonical(clear)?.len() <= limit {
            return Ok(());
        }
        Err(PolicyFault::Input("it is larger than the limit".to_owned()))
    }

    fn ask(&self, question: Question, input: &Value) -> Result<Sets, PolicyFault> {
        let fuel = self.bundle.settings().limits.fuel;
        rego::ask(&self.prepared, fuel, self.bundle.contributions(), question, input)
    }

    fn contributed(&self, sets: Sets) -> Result<Vec<RootContribution>, PolicyFault> {
        let mut roots: BTreeMap<String, RootContribution> = BTreeMap::new();
        for (Contribution { root, set }, elements) in sets {
            let permitted = self.bundle.settings().roots.get(&root);
            let contribution = roots.entry(root.clone()).or_insert_with(|| RootContribution {
                root,
                may_allow: permitted.is_some_and(|root| root.allow),
                may_reduce: permitted.is_some_and(|root| root.negative_points),
                ..RootContribution::default()
            });
            for element in elements {
                contribution.add(set, &element)?;
            }
        }
        Ok(roots.into_values().collect())
    }

    fn bound(&self, composed: Composed, input_sha256: Sha256) -> Result<Verdict, PolicyFault> {
        let Composed { outcome, risk, stages, constraints, obligations, reasons } = composed;
        Ok(Verdict::composed_by_the_policy_engine(VerdictDocument {
            verdict: outcome,
            risk,
            stages,
            constraints,
            obligations,
            reasons,
            policy_sha256: self.bundle.digest(),
            input_sha256,
            engine: engine_version().to_owned(),
        })?)
    }
}

fn reveal(document: Value, disclosures: &[Disclosure]) -> Result<Value, PolicyFault> {
    let revealed = disclosure::reveal(document, disclosures)?;
    match revealed.missing.first() {
        None => Ok(revealed.value),
        Some(missing) => Err(PolicyFault::Input(format!("a disclosure of `{}` is missing", missing.object))),
    }
}

/// What the host itself reads of an input.
struct Facts<'a> {
    request: RequestDocument,
    entitlement: &'a Value,
    requester: PersonFacts,
}

fn member<T: DeserializeOwned>(document: &Value, name: &str) -> Result<T, PolicyFault> {
    T::deserialize(document.get(name).unwrap_or(&Value::Null))
        .map_err(|cause| PolicyFault::Input(format!("`{name}`: {cause}")))
}

fn terms(bundle: &Bundle, facts: &Facts<'_>) -> Terms {
    let reference = &facts.request.entitlement;
    let entitlement = bundle.entitlement(&reference.name);
    let mut refusals = BTreeSet::new();
    let clocks = match entitlement {
        None => {
            refusals.insert(refusal(
                "chancery.unknown_entitlement",
                "the active policy knows no such entitlement",
                "ask for one that `entitlement list` shows",
            ));
            Constraints {
                pending_seconds: 0,
                approval_validity_seconds: 0,
                grant_seconds: 0,
                session_seconds: 0,
                scopes: BTreeMap::new(),
            }
        }
        Some(entitlement) => {
            refusals.extend(refusals_of(entitlement, facts));
            entitlement.clocks()
        }
    };
    Terms { clocks, asked_grant_seconds: facts.request.clocks.grant_seconds, tiers: bundle.tiers(), refusals }
}

fn refusals_of(entitlement: &Entitlement, facts: &Facts<'_>) -> Vec<Reason> {
    let mut refusals = Vec::new();
    if entitlement.digest() != facts.request.entitlement.sha256 || entitlement.data() != facts.entitlement {
        refusals.push(refusal(
            "chancery.entitlement_changed",
            "the entitlement is not the one that the request was made for",
            "make the request again, under the entitlement as it is now",
        ));
    }
    if facts.requester.person != facts.request.requester {
        refusals.push(refusal(
            "chancery.other_requester",
            "the facts are of another person than the requester",
            "make the request again",
        ));
    }
    if !entitlement.may_ask(&facts.requester) {
        refusals.push(refusal(
            "chancery.may_not_ask",
            "the requester is not one of those who may ask for this",
            "ask an identity administrator for the role that this entitlement names",
        ));
    }
    let violations = entitlement.form().violations(&facts.request.parameters);
    refusals.extend(violations.into_iter().map(|violation| {
        let pointer = if violation.pointer.is_empty() { "the form" } else { &violation.pointer };
        refusal(
            "chancery.form",
            format!("`{pointer}`: {}", violation.message),
            "correct the parameter and ask again",
        )
    }));
    refusals
}

/// The answer to a fault. It says nothing of the inside, and is the same whatever the fault was.
fn faulted() -> Composed {
    Composed {
        outcome: Outcome::Deny,
        risk: Risk {
            score: 100,
            tier: "critical".to_owned(),
            factors: vec![RiskFactor {
                factor: "engine.fault".to_owned(),
                points: 100,
                detail: "the risk could not be computed".to_owned(),
            }],
        },
        stages: Vec::new(),
        constraints: Constraints {
            pending_seconds: 0,
            approval_validity_seconds: 0,
            grant_seconds: 0,
            session_seconds: 0,
            scopes: BTreeMap::new(),
        },
        obligations: BTreeSet::new(),
        reasons: vec![refusal(
            "engine.fault",
            "the policy could not be evaluated for this request",
            "tell the policy's owners; the operator's log says what went wrong",
        )],
    }
}

/// Shortest personal string that is looked for in texts; a shorter one would hit inside of other words.
const MIN_CONCEALED_CHARS: usize = 4;

/// Takes personal strings out of the texts for people: a verdict is published without disclosures.
fn conceal_texts(mut composed: Composed, disclosures: &[Disclosure]) -> Composed {
    let mut personal: Vec<&str> = Vec::new();
    for disclosure in disclosures {
        strings(disclosure.value(), &mut personal);
    }
    personal.retain(|text| text.chars().count() >= MIN_CONCEALED_CHARS);
    // The longest first, so that the rest of one is not left standing by a shorter one.
    personal.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    let conceal = |text: &mut String| {
        for secret in personal.iter().filter(|secret| !secret.is_empty()) {
            if text.contains(secret) {
                *text = text.replace(secret, "(concealed)");
            }
        }
    };
    for factor in &mut composed.risk.factors {
        conceal(&mut factor.detail);
    }
    for reason in &mut composed.reasons {
        conceal(&mut reason.message);
        conceal(&mut reason.remedy);
    }
    // Two texts may have become one spelling and stand in another order.
    composed.risk.factors.sort();
    composed.reasons.sort();
    composed
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(elements) => elements.iter().for_each(|element| strings(element, found)),
        Value::Object(members) => members.values().for_each(|member| strings(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
