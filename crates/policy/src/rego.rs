//! The Rego engine: compiling a bundle's modules for it, asking it, and reading its answer. Nothing else in this
//! crate evaluates.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chancery_canonical::Canonical;
use chancery_canonical::json::{self, MAX_DEPTH, Map, Value};

use crate::bundle::{Bundle, BundleError, Contribution};
use crate::contribution::{MAX_ELEMENTS, ShapeError};
use crate::evaluate::PolicyFault;
use crate::{fuel, network};

/// The package of the host's own module. No module and no data of a bundle can have this name.
pub const HOST_PACKAGE: &str = "chancery_host";

/// The file name of the host's module in the engine's messages.
const HOST_FILE: &str = "host.rego";

/// Sets that make a verdict; they are asked for together.
const VERDICT_SETS: [&str; 6] = ["allow", "constraint", "deny", "obligation", "risk", "stage"];

/// The elements of each set, by the root that contributed them.
pub type Sets = BTreeMap<Contribution, Vec<Value>>;

/// What is asked in one evaluation: rules that several sets share are then evaluated once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// All sets that make a verdict.
    Verdict,
    /// The set `alert`.
    Alert,
    /// The set `violation`.
    Violation,
}

impl Question {
    const ALL: [Self; 3] = [Self::Verdict, Self::Alert, Self::Violation];

    /// The rule of the host's module that answers.
    fn rule(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Alert => "alert",
            Self::Violation => "violation",
        }
    }

    /// The sets that the answer lists, in its order.
    fn sets(self, contributions: &BTreeSet<Contribution>) -> impl Iterator<Item = &Contribution> {
        contributions.iter().filter(move |contribution| match self {
            Self::Verdict => VERDICT_SETS.contains(&contribution.set),
            Self::Alert | Self::Violation => contribution.set == self.rule(),
        })
    }
}

/// Compiles modules and data for the Rego engine. `with_tests` adds the test modules, which ask for themselves.
pub fn compile(bundle: &Bundle, with_tests: bool) -> Result<regorus::Engine, BundleError> {
    let refused = |file: &str, cause: String| BundleError::Rego { file: file.to_owned(), cause };
    if !fuel::is_metered() {
        return Err(refused(
            "bundle",
            "another clock is registered with the engine, so fuel cannot be counted".to_owned(),
        ));
    }
    let mut engine = bundle.engine();
    // A builtin that fails must not leave a rule silently unsaid.
    engine.set_strict_builtin_errors(true);
    network::register(&mut engine).map_err(|cause| refused("bundle", cause))?;
    let mut add = |path: &str, text: String| {
        engine.add_policy(path.to_owned(), text).map_err(|cause| refused(path, cause.to_string()))
    };
    if with_tests {
        for (path, text) in bundle.test_modules() {
            add(path, text.to_owned())?;
        }
    } else {
        add(HOST_FILE, host_module(bundle.contributions()))?;
    }
    let data = Canonical::of(bundle.data()).map_err(|cause| refused("bundle", cause.to_string()))?;
    engine.add_data_json(data.as_str()).map_err(|cause| refused("bundle", cause.to_string()))?;
    // The engine looks for unsafe variables only when it is first asked something.
    engine.set_input(regorus::Value::new_object());
    engine.eval_query("true".to_owned(), false).map_err(|cause| refused("bundle", cause.to_string()))?;
    Ok(engine)
}

/// One rule for each question: the list of its sets.
fn host_module(contributions: &BTreeSet<Contribution>) -> String {
    let mut text = format!("package {HOST_PACKAGE}\n");
    for question in Question::ALL {
        let references: Vec<String> = question.sets(contributions).map(reference).collect();
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\n{} := [{}]\n", question.rule(), references.join(", "));
    }
    text
}

/// In brackets, so that no name is mistaken for a keyword.
fn reference(contribution: &Contribution) -> String {
    let names = contribution.root.split('.').chain([contribution.set]);
    let indices = names.map(|name| format!("[{}]", Value::from(name)));
    std::iter::once("data".to_owned()).chain(indices).collect()
}

/// Asks. The one place that a sandbox would replace.
///
/// Each question works on a copy of the prepared engine, so one never sees another.
///
/// # Errors
/// An input that the engine does not take, an evaluation that fails, traps or runs out of fuel, an answer that is
/// not of the shape.
pub fn ask(
    prepared: &regorus::Engine,
    fuel_limit: u64,
    contributions: &BTreeSet<Contribution>,
    question: Question,
    input: &Value,
) -> Result<Sets, PolicyFault> {
    let input = foreign(input)
        .ok_or_else(|| PolicyFault::Input("it holds a number that is no integer".to_owned()))?;
    let rule = format!("data.{HOST_PACKAGE}.{}", question.rule());
    let mut engine = prepared.clone();
    engine.set_input(input);
    engine.set_execution_timer_config(fuel::limit(fuel_limit));
    let trap = |_| PolicyFault::Trap { rule: question.rule().to_owned() };
    let failed = |cause: String| PolicyFault::Evaluation { rule: question.rule().to_owned(), cause };
    let answer = catch_unwind(AssertUnwindSafe(|| engine.eval_rule(rule)))
        .map_err(trap)?
        .map_err(|cause| failed(cause.to_string()))?;
    // A set that is undefined leaves the whole list undefined.
    let answers = answer.as_array().map_err(|_| failed("a set is undefined".to_owned()))?;
    let mut sets = Sets::new();
    let mut answers = answers.iter();
    for contribution in question.sets(contributions) {
        let value = answers.next().ok_or_else(|| failed("a set is missing".to_owned()))?;
        let elements = elements(value).map_err(|cause| ShapeError {
            root: contribution.root.clone(),
            set: contribution.set.to_owned(),
            cause,
        })?;
        sets.insert(contribution.clone(), elements);
    }
    Ok(sets)
}

/// JSON as a value of the engine; nothing when a number is no integer.
fn foreign(value: &Value) -> Option<regorus::Value> {
    Some(match value {
        Value::Null => regorus::Value::Null,
        Value::Bool(truth) => regorus::Value::Bool(*truth),
        Value::Number(number) => match number.as_u64() {
            Some(number) => regorus::Value::from(number),
            None => regorus::Value::from(number.as_i64()?),
        },
        Value::String(text) => regorus::Value::from(text.as_str()),
        Value::Array(elements) => {
            regorus::Value::from(elements.iter().map(foreign).collect::<Option<Vec<_>>>()?)
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                Some((regorus::Value::from(name.as_str()), foreign(value)?))
            };
            regorus::Value::from(members.iter().map(member).collect::<Option<BTreeMap<_, _>>>()?)
        }
    })
}

/// The elements of a set, in the engine's order, as strict JSON.
fn elements(value: &regorus::Value) -> Result<Vec<Value>, String> {
    let set = value.as_set().map_err(|_| "it is not a set".to_owned())?;
    if set.len() > MAX_ELEMENTS {
        return Err("it has too many elements".to_owned());
    }
    set.iter().map(|element| plain(element, 1)).collect()
}

/// A value of the engine as JSON: sets are lists, numbers are integers as the strict reader takes them.
fn plain(value: &regorus::Value, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err("it is nested too deep".to_owned());
    }
    match value {
        regorus::Value::Null => Ok(Value::Null),
        regorus::Value::Bool(truth) => Ok(Value::Bool(*truth)),
        regorus::Value::Number(_) => {
            let text = value.to_json_str().map_err(|cause| cause.to_string())?;
            json::parse(text.as_bytes()).map_err(|cause| cause.to_string())
        }
        regorus::Value::String(text) => Ok(Value::String(text.as_ref().to_owned())),
        regorus::Value::Array(list) => list.iter().map(|element| plain(element, depth + 1)).collect(),
        regorus::Value::Set(set) => set.iter().map(|element| plain(element, depth + 1)).collect(),
        regorus::Value::Object(members) => {
            let mut object = Map::new();
            for (name, value) in members.iter_sorted() {
                let name = name.as_string().map_err(|_| "a name in an object is not a text".to_owned())?;
                object.insert(name.as_ref().to_owned(), plain(value, depth + 1)?);
            }
            Ok(Value::Object(object))
        }
        regorus::Value::Undefined => Err("a part of it is undefined".to_owned()),
    }
}
