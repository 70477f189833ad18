//! Runs a bundle over an input. Whatever goes wrong on the way is a `deny`.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use chancery_canonical::disclosure::{self, DisclosureError};
use chancery_canonical::json::{self, JsonError, Value};
use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::document::RequestDocument;
use chancery_domain::verdict::{Constraints, Outcome, Reason, Risk, RiskFactor, Verdict, VerdictDocument};

use crate::bundle::{Bundle, BundleError, Contribution};
use crate::compose::{Composed, Terms, compose, refusal};
use crate::contribution::{MAX_ELEMENTS, RootContribution, ShapeError};
use crate::entitlement::Entitlement;
use crate::input::{ConcealedInput, MAX_INPUT_BYTES, PersonFacts};
use crate::{engine_version, fuel, network};

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
    /// The verdict has no canonical form.
    #[error("the verdict cannot be written: {0}")]
    Document(#[from] JsonError),
}

/// The elements of each set, by the root that contributed them.
type Sets = BTreeMap<Contribution, Vec<Value>>;

/// Sets that make a verdict.
const VERDICT_SETS: [&str; 6] = ["allow", "constraint", "deny", "obligation", "risk", "stage"];

impl Engine {
    /// Compiles the bundle's judging modules.
    ///
    /// # Errors
    /// [`BundleError::Rego`] when the engine does not take them.
    pub fn prepare(bundle: Bundle) -> Result<Self, BundleError> {
        let prepared = compile(&bundle, false)?;
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
        let wanted: BTreeSet<&Contribution> =
            self.bundle.contributions().iter().filter(|contribution| contribution.set == set).collect();
        let sets = run(&self.prepared, self.bundle.settings().limits.fuel, input.as_str(), wanted)?;
        Ok(sets.into_values().flatten().collect())
    }

    fn judged(&self, input: &ConcealedInput) -> Result<Composed, PolicyFault> {
        if let Some(wanted) =
            self.bundle.settings().engine.as_deref().filter(|wanted| *wanted != engine_version())
        {
            return Err(PolicyFault::OtherEngine { wanted: wanted.to_owned() });
        }
        let clear = reveal(input)?;
        let facts = Facts::read(&input.document, &clear)?;
        let limits = self.bundle.settings().limits;
        let clear = Canonical::of(&clear)?;
        let memory = usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX);
        if clear.as_str().len() > MAX_INPUT_BYTES.min(memory) {
            return Err(PolicyFault::Input("it is larger than the limit".to_owned()));
        }
        let wanted = self
            .bundle
            .contributions()
            .iter()
            .filter(|contribution| VERDICT_SETS.contains(&contribution.set));
        let sets = run(&self.prepared, limits.fuel, clear.as_str(), wanted.collect())?;
        let terms = terms(&self.bundle, &facts);
        Ok(compose(&self.contributed(sets)?, &terms))
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

/// Compiles modules and data for the Rego engine. `with_tests` adds the test modules.
pub(crate) fn compile(bundle: &Bundle, with_tests: bool) -> Result<regorus::Engine, BundleError> {
    let refused = |file: &str, cause: String| BundleError::Rego { file: file.to_owned(), cause };
    if !fuel::is_metered() {
        return Err(refused(
            "bundle",
            "another clock is registered with the engine, so fuel cannot be counted".to_owned(),
        ));
    }
    let mut engine = regorus::Engine::new();
    // A builtin that fails must not leave a rule silently unsaid.
    engine.set_strict_builtin_errors(true);
    network::register(&mut engine).map_err(|cause| refused("bundle", cause))?;
    for (path, text) in bundle.modules(with_tests) {
        engine
            .add_policy(path.to_owned(), text.to_owned())
            .map_err(|cause| refused(path, cause.to_string()))?;
    }
    let data = Canonical::of(bundle.data()).map_err(|cause| refused("bundle", cause.to_string()))?;
    engine.add_data_json(data.as_str()).map_err(|cause| refused("bundle", cause.to_string()))?;
    // The engine looks for unsafe variables only when it is first asked something.
    engine.set_input(regorus::Value::new_object());
    engine.eval_query("true".to_owned(), false).map_err(|cause| refused("bundle", cause.to_string()))?;
    Ok(engine)
}

/// Evaluates the wanted sets. The one place that a sandbox would replace.
fn run(
    prepared: &regorus::Engine,
    fuel_limit: u64,
    input: &str,
    wanted: BTreeSet<&Contribution>,
) -> Result<Sets, PolicyFault> {
    let no_input = |cause: String| PolicyFault::Input(cause);
    let mut engine = prepared.clone();
    engine.set_input_json(input).map_err(|cause| no_input(cause.to_string()))?;
    let start = fuel::steps();
    let mut sets = Sets::new();
    for contribution in wanted {
        let rule = format!("data.{}.{}", contribution.root, contribution.set);
        let used = fuel::steps().saturating_sub(start);
        engine.set_execution_timer_config(fuel::limit(fuel_limit.saturating_sub(used)));
        let evaluated = catch_unwind(AssertUnwindSafe(|| engine.eval_rule(rule.clone())))
            .map_err(|_| PolicyFault::Trap { rule: rule.clone() })?;
        let value = evaluated
            .map_err(|cause| PolicyFault::Evaluation { rule: rule.clone(), cause: cause.to_string() })?;
        sets.insert(contribution.clone(), elements(contribution, &value)?);
    }
    Ok(sets)
}

/// The elements of a set, as strict JSON.
fn elements(contribution: &Contribution, value: &regorus::Value) -> Result<Vec<Value>, PolicyFault> {
    let shape = |cause: &str| ShapeError {
        root: contribution.root.clone(),
        set: contribution.set.to_owned(),
        cause: cause.to_owned(),
    };
    let set = value.as_set().map_err(|_| shape("it is not a set"))?;
    if set.len() > MAX_ELEMENTS {
        return Err(shape("it has too many elements").into());
    }
    let text = value.to_json_str().map_err(|cause| shape(&cause.to_string()))?;
    match json::parse(text.as_bytes()).map_err(|cause| shape(&cause.to_string()))? {
        Value::Array(elements) => Ok(elements),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Err(shape("it is not a set").into())
        }
    }
}

fn reveal(input: &ConcealedInput) -> Result<Value, PolicyFault> {
    let revealed = disclosure::reveal(&input.document.value(), &input.disclosures)?;
    match revealed.missing.first() {
        None => Ok(revealed.value),
        Some(missing) => Err(PolicyFault::Input(format!("a disclosure of `{}` is missing", missing.object))),
    }
}

/// What the host itself reads of an input.
struct Facts {
    request: RequestDocument,
    entitlement: Value,
    requester: PersonFacts,
}

impl Facts {
    fn read(concealed: &Canonical, clear: &Value) -> Result<Self, PolicyFault> {
        let refused = |part: &str, cause: &str| PolicyFault::Input(format!("`{part}`: {cause}"));
        // The request document as it was signed: with its digests in place.
        let document = concealed.value();
        let request = document.get("request").cloned().unwrap_or_default();
        let request =
            serde_json::from_value(request).map_err(|cause| refused("request", &cause.to_string()))?;
        let requester = clear.get("requester").cloned().unwrap_or_default();
        let requester =
            serde_json::from_value(requester).map_err(|cause| refused("requester", &cause.to_string()))?;
        let entitlement = clear.get("entitlement").cloned().unwrap_or_default();
        Ok(Self { request, entitlement, requester })
    }
}

fn terms(bundle: &Bundle, facts: &Facts) -> Terms {
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

fn refusals_of(entitlement: &Entitlement, facts: &Facts) -> Vec<Reason> {
    let mut refusals = Vec::new();
    if entitlement.digest() != facts.request.entitlement.sha256 || *entitlement.data() != facts.entitlement {
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
