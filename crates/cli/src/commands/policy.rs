//! Checks, tests and measures a policy bundle on this machine; no server is needed.

use std::path::PathBuf;

use chancery_policy::test_run::{TestOutcome, TestReport, run_tests};
use chancery_policy::{Bundle, engine_version};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Table, Tone, clean};

/// `chancery policy`
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Whether a bundle would be accepted: syntax, references, builtins, guard rails
    Check(Folder),
    /// Run the tests beside the rules, and compare golden verdicts
    Test(Folder),
    /// Which lines the tests reach, against the bundle's own gate
    Coverage(Folder),
}

/// Where the bundle is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chancery policy test policies")]
pub struct Folder {
    /// The bundle's folder
    #[arg(default_value = "policies", value_name = "DIR")]
    folder: PathBuf,
}

impl Policy {
    /// Does it. What is wrong with a bundle is an error, exit 1.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self {
            Self::Check(folder) => check(&folder.read()?, output),
            Self::Test(folder) => test(&folder.read()?, output),
            Self::Coverage(folder) => coverage(&folder.read()?, output),
        }
    }
}

impl Folder {
    fn read(&self) -> Result<Bundle, Failure> {
        Bundle::read(&self.folder).map_err(|fault| Failure::file(&self.folder, fault))
    }
}

fn check(bundle: &Bundle, output: &Output) -> Result<Exit, Failure> {
    let entitlements: Vec<&str> = bundle.entitlements().keys().map(String::as_str).collect();
    let summary = json!({
        "policy_sha256": bundle.digest().to_hex(), "engine": engine_version(),
        "files": bundle.files().len(), "entitlements": entitlements, "tests": bundle.test_rules().len(),
    });
    output.show(&summary, |output| {
        let mut table = Table::default();
        table.pair("bundle", &bundle.digest().to_hex());
        table.pair("engine", engine_version());
        table.pair("files", &bundle.files().len().to_string());
        table.pair("entitlements", &entitlements.join(", "));
        table.pair("tests", &bundle.test_rules().len().to_string());
        table.render(output, "")
    })?;
    Ok(Exit::Done)
}

fn test(bundle: &Bundle, output: &Output) -> Result<Exit, Failure> {
    let report = run(bundle)?;
    let results: Vec<Value> = report
        .results
        .iter()
        .map(|result| {
            let (outcome, detail) = outcome(&result.outcome);
            json!({"file": result.file, "name": result.name, "outcome": outcome, "detail": detail})
        })
        .collect();
    output.show_all(&results, |output| test_text(&report, output))?;
    Ok(if report.passed() { Exit::Done } else { Exit::Error })
}

fn test_text(report: &TestReport, output: &Output) -> String {
    let mut text = String::new();
    for result in &report.results {
        let (word, detail) = outcome(&result.outcome);
        if word != "passed" {
            let word = output.paint(Tone::Bad, word);
            text.push_str(&format!("{word} {} ({})\n", clean(&result.name), clean(&result.file)));
            if !detail.is_null() {
                text.push_str(&format!("{detail:#}\n"));
            }
        }
    }
    let failed = report.results.iter().filter(|result| result.outcome != TestOutcome::Passed).count();
    let passed = report.results.len() - failed;
    text.push_str(&format!(
        "{passed} passed, {failed} failed, {}% of lines reached\n",
        report.coverage_percent()
    ));
    text
}

fn outcome(outcome: &TestOutcome) -> (&'static str, Value) {
    match outcome {
        TestOutcome::Passed => ("passed", Value::Null),
        TestOutcome::Failed => ("failed", Value::Null),
        TestOutcome::Differs { expected, computed } => {
            ("differs", json!({"expected": expected, "computed": computed}))
        }
        TestOutcome::Broken(reason) => ("broken", json!(reason)),
    }
}

fn coverage(bundle: &Bundle, output: &Output) -> Result<Exit, Failure> {
    let report = run(bundle)?;
    let (percent, gate) = (report.coverage_percent(), bundle.settings().gates.coverage_percent);
    let files: Vec<Value> = report
        .coverage
        .iter()
        .map(|file| json!({"file": file.file, "covered": file.covered, "not_covered": file.not_covered}))
        .collect();
    output.show(&json!({"percent": percent, "gate_percent": gate, "files": files}), |output| {
        let mut table = Table::with_header(&["FILE", "REACHED", "NOT REACHED (LINES)"]);
        for file in &report.coverage {
            let missed: Vec<String> = file.not_covered.iter().map(ToString::to_string).collect();
            let all = file.covered.len() + file.not_covered.len();
            table.row([file.file.as_str(), &format!("{}/{all}", file.covered.len()), &missed.join(" ")]);
        }
        format!(
            "{}{percent}% of lines reached; the bundle demands {gate}%\n",
            table.render(output, "no rules")
        )
    })?;
    Ok(if percent >= gate && report.passed() { Exit::Done } else { Exit::Error })
}

fn run(bundle: &Bundle) -> Result<TestReport, Failure> {
    run_tests(bundle).map_err(|fault| Failure::Fault(fault.to_string()))
}
