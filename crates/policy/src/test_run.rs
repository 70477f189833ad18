//! Tests of a bundle: its `test_…` rules, its golden files, and how much of its rules they reach.
//!
//! A golden file is `tests/golden/<name>.json`, one object with the one member `<name>`, which holds `input` and
//! `verdict` (without the digests that bind a verdict). The name inside keeps OPA content, which loads every
//! JSON file of a directory into one document. An input that leaves out `entitlement` and its digest is filled
//! from the bundle, so that golden files need not change with every word of a form, and a clear justification is
//! concealed as in a request document.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::Canonical;
use chancery_canonical::disclosure;
use chancery_canonical::json::{self, Map, Value};

use crate::bundle::{Bundle, BundleError};
use crate::evaluate::{Engine, PolicyFault};
use crate::fuel;
use crate::input::ConcealedInput;
use crate::rego::compile;

/// Where golden files stand.
pub const GOLDEN: &str = "tests/golden/";

/// Members of a verdict that a golden file leaves out: they change with every byte of bundle or engine.
const BINDING_MEMBERS: [&str; 3] = ["engine", "input_sha256", "policy_sha256"];

/// Stands in request documents only as a digest.
const JUSTIFICATION: &str = "/request/justification";

/// How one test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    /// As it should.
    Passed,
    /// Its rule is not true.
    Failed,
    /// The verdict is another than the golden one, which is shown in full.
    Differs {
        /// The golden verdict.
        expected: Value,
        /// What came out.
        computed: Value,
    },
    /// It could not be run.
    Broken(String),
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResult {
    /// The rule, or the golden file.
    pub name: String,
    /// The file.
    pub file: String,
    /// How it ended.
    pub outcome: TestOutcome,
}

/// Lines of one module that tests reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCoverage {
    /// The module.
    pub file: String,
    /// Lines that were evaluated.
    pub covered: BTreeSet<u32>,
    /// Lines that were not.
    pub not_covered: BTreeSet<u32>,
}

/// Everything that a test run shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestReport {
    /// Sorted by file and name.
    pub results: Vec<TestResult>,
    /// Rules and library, without the tests; sorted by file.
    pub coverage: Vec<FileCoverage>,
}

impl TestReport {
    /// Whether there are tests and all passed.
    pub fn passed(&self) -> bool {
        !self.results.is_empty() && self.results.iter().all(|result| result.outcome == TestOutcome::Passed)
    }

    /// Share of reached lines in percent, rounded down; 100 when there are no lines.
    pub fn coverage_percent(&self) -> u8 {
        let covered: usize = self.coverage.iter().map(|file| file.covered.len()).sum();
        let missed: usize = self.coverage.iter().map(|file| file.not_covered.len()).sum();
        let percent = (covered * 100).checked_div(covered + missed).unwrap_or(100);
        u8::try_from(percent).unwrap_or(100)
    }
}

/// Runs every test of the bundle.
///
/// # Errors
/// When the bundle with its tests does not compile.
pub fn run_tests(bundle: &Bundle) -> Result<TestReport, BundleError> {
    let mut testing = compile(bundle, true)?;
    testing.set_enable_coverage(true);
    let mut results = Vec::new();
    for (rule, file) in bundle.test_rules() {
        let outcome = run_rule(&mut testing, bundle, rule);
        results.push(TestResult { name: rule.clone(), file: file.clone(), outcome });
    }
    let judging = Engine::prepare(bundle.clone())?;
    for (file, bytes) in bundle.files().iter().filter(|(file, _)| file.starts_with(GOLDEN)) {
        let outcome = run_golden(&judging, &mut testing, file, bytes).unwrap_or_else(TestOutcome::Broken);
        results.push(TestResult { name: golden_name(file).to_owned(), file: file.clone(), outcome });
    }
    results.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
    Ok(TestReport { results, coverage: coverage(&testing)? })
}

fn run_rule(testing: &mut regorus::Engine, bundle: &Bundle, rule: &str) -> TestOutcome {
    testing.set_input(regorus::Value::new_object());
    testing.set_execution_timer_config(fuel::limit(bundle.settings().limits.fuel));
    match testing.eval_rule(rule.to_owned()) {
        Ok(value) if value.as_bool().is_ok_and(|holds| *holds) => TestOutcome::Passed,
        Ok(_) => TestOutcome::Failed,
        Err(cause) => TestOutcome::Broken(cause.to_string()),
    }
}

fn run_golden(
    judging: &Engine,
    testing: &mut regorus::Engine,
    file: &str,
    bytes: &[u8],
) -> Result<TestOutcome, String> {
    let Golden { input, verdict } = read_golden(file, bytes)?;
    let canonical = Canonical::of(&filled(judging.bundle(), &input)).map_err(|cause| cause.to_string())?;
    reach(testing, judging.bundle(), &canonical);
    let computed = golden_verdict(judging, &input)?;
    Ok(if computed == verdict {
        TestOutcome::Passed
    } else {
        TestOutcome::Differs { expected: verdict, computed }
    })
}

/// Evaluates the sets once more where coverage is counted; the judging engine counts nothing.
fn reach(testing: &mut regorus::Engine, bundle: &Bundle, input: &Canonical) {
    if testing.set_input_json(input.as_str()).is_err() {
        return;
    }
    for contribution in bundle.contributions() {
        testing.set_execution_timer_config(fuel::limit(bundle.settings().limits.fuel));
        // A failure shows as the verdict's fault.
        let _ = testing.eval_rule(format!("data.{}.{}", contribution.root, contribution.set));
    }
}

struct Golden {
    input: Value,
    verdict: Value,
}

fn golden_name(file: &str) -> &str {
    file.strip_prefix(GOLDEN).unwrap_or(file).strip_suffix(".json").unwrap_or(file)
}

fn read_golden(file: &str, bytes: &[u8]) -> Result<Golden, String> {
    let Value::Object(mut document) = json::parse(bytes).map_err(|cause| cause.to_string())? else {
        return Err("it is not an object".to_owned());
    };
    let name = golden_name(file);
    let Some(Value::Object(mut golden)) = document.remove(name) else {
        return Err(format!("it has no member `{name}` with `input` and `verdict`"));
    };
    match (golden.remove("input"), golden.remove("verdict")) {
        (Some(input), Some(verdict)) if golden.is_empty() && document.is_empty() => {
            Ok(Golden { input, verdict })
        }
        _ => Err(format!("it must hold `{name}` alone, with `input` and `verdict` alone")),
    }
}

/// The verdict over a clear input, as a golden file holds it.
///
/// # Errors
/// In words, when the input cannot be judged; a fault in the policy is an error here, and never a golden `deny`.
pub fn golden_verdict(engine: &Engine, input: &Value) -> Result<Value, String> {
    let judgement = engine
        .judge(&concealed(&filled(engine.bundle(), input))?)
        .map_err(|fault: PolicyFault| fault.to_string())?;
    if let Some(fault) = judgement.fault {
        return Err(fault.to_string());
    }
    let Value::Object(verdict) = judgement.verdict.canonical().value() else {
        return Err("the verdict is not an object".to_owned());
    };
    let kept: Map<String, Value> =
        verdict.into_iter().filter(|(member, _)| !BINDING_MEMBERS.contains(&member.as_str())).collect();
    Ok(Value::Object(kept))
}

/// The input with the entitlement that its request names, where it says nothing of it.
fn filled(bundle: &Bundle, input: &Value) -> Value {
    let mut input = input.clone();
    let name = input.pointer("/request/entitlement/name").and_then(Value::as_str);
    let Some(entitlement) = name.and_then(|name| bundle.entitlement(name)) else {
        return input;
    };
    if let Some(reference) = input.pointer_mut("/request/entitlement").and_then(Value::as_object_mut) {
        reference.entry("sha256").or_insert_with(|| Value::String(entitlement.digest().to_string()));
    }
    if let Some(members) = input.as_object_mut() {
        members.entry("entitlement").or_insert_with(|| entitlement.data().clone());
    }
    input
}

/// The input as it would be recorded. Its salts are no secret, so its digest is left out of golden verdicts.
fn concealed(input: &Value) -> Result<ConcealedInput, String> {
    let Value::Object(members) = input.clone() else {
        return Err("`input` is not an object".to_owned());
    };
    let pointers: &[&str] = if input.pointer(JUSTIFICATION).is_some() { &[JUSTIFICATION] } else { &[] };
    let (members, disclosures) =
        disclosure::conceal(members, pointers, &mut || [0; 16]).map_err(|cause| cause.to_string())?;
    let document = Canonical::of(&members).map_err(|cause| cause.to_string())?;
    Ok(ConcealedInput { document, disclosures })
}

/// The text of a golden file, as `policy test --update` writes it.
///
/// # Errors
/// As [`golden_verdict`].
pub fn golden_text(engine: &Engine, name: &str, input: &Value) -> Result<String, String> {
    let verdict = golden_verdict(engine, input)?;
    let inner = BTreeMap::from([("input", input), ("verdict", &verdict)]);
    let text =
        serde_json::to_string_pretty(&BTreeMap::from([(name, inner)])).map_err(|cause| cause.to_string())?;
    Ok(text + "\n")
}

fn coverage(testing: &regorus::Engine) -> Result<Vec<FileCoverage>, BundleError> {
    let refused = |cause: String| BundleError::Rego { file: "bundle".to_owned(), cause };
    let report = testing.get_coverage_report().map_err(|cause| refused(cause.to_string()))?;
    let judging = report.files.into_iter().filter(|file| !file.path.ends_with("_test.rego"));
    let mut files: Vec<FileCoverage> = judging
        .map(|file| FileCoverage { file: file.path, covered: file.covered, not_covered: file.not_covered })
        .collect();
    files.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(files)
}
