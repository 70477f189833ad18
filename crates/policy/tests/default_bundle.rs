//! The default bundle: it loads, its own tests pass, and its tests reach its rules.

mod common;

use std::collections::BTreeSet;

use chancery_policy::test_run::{GOLDEN, TestOutcome, golden_text, run_tests};
use chancery_policy::{Bundle, Engine};

#[test]
fn its_own_tests_pass_and_reach_its_rules() {
    let bundle = common::default_bundle();
    let report = run_tests(&bundle).unwrap();
    for result in &report.results {
        assert_eq!(result.outcome, TestOutcome::Passed, "{} of {}", result.name, result.file);
    }
    assert!(report.passed());
    let missed: Vec<_> = report.coverage.iter().filter(|file| !file.not_covered.is_empty()).collect();
    let least = bundle.settings().gates.coverage_percent;
    assert!(report.coverage_percent() >= least, "{}% reached; missed: {missed:?}", report.coverage_percent());
    assert!(report.coverage.len() >= 10, "every module is counted");
}

/// With `UPDATE_GOLDEN` set, writes the golden files again instead of comparing; read the difference before you commit it.
#[test]
fn golden_files_are_up_to_date() {
    let bundle = common::default_bundle();
    let engine = Engine::prepare(bundle.clone()).unwrap();
    let mut seen = BTreeSet::new();
    for (name, input) in common::golden_inputs(&bundle) {
        let text = golden_text(&engine, name, &input).unwrap();
        let file = format!("{GOLDEN}{name}.json");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(common::policies().join(&file), &text).unwrap();
        } else {
            let stored = bundle.files().get(&file).map(|bytes| String::from_utf8(bytes.clone()).unwrap());
            assert_eq!(stored.as_deref(), Some(text.as_str()), "{file}");
        }
        seen.insert(file);
    }
    let stored: BTreeSet<String> =
        bundle.files().keys().filter(|file| file.starts_with(GOLDEN)).cloned().collect();
    assert!(stored.is_subset(&seen), "a golden file that nothing makes");
}

#[test]
fn the_bundle_is_its_files() {
    let bundle = common::default_bundle();
    let again = Bundle::from_files(bundle.files().clone()).unwrap();
    assert_eq!(again.digest(), bundle.digest());

    let mut files = bundle.files().clone();
    files.insert(".manifest".to_owned(), bundle.manifest().into_bytes());
    assert_eq!(
        Bundle::from_files(files.clone()).unwrap().digest(),
        bundle.digest(),
        "the manifest does not count"
    );

    files.get_mut("thresholds/data.yaml").unwrap().push(b'\n');
    assert_ne!(Bundle::from_files(files).unwrap().digest(), bundle.digest(), "every other byte does");
}

#[test]
fn the_committed_manifest_is_the_tools() {
    let bundle = common::default_bundle();
    let manifest = String::from_utf8(bundle.files().get(".manifest").unwrap().clone()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let made: serde_json::Value = serde_json::from_str(&bundle.manifest()).unwrap();
    assert_eq!(value["roots"], made["roots"]);
    assert_eq!(value["rego_version"], made["rego_version"]);
}

/// The bundle's own tests can fail: each of these changes of a rule breaks one.
#[test]
fn its_own_tests_notice_a_change() {
    for (file, from, to) in [
        ("chancery/rules/ssh_admin.rego", "default security_quorum := 1", "default security_quorum := 2"),
        ("chancery/rules/ssh_admin.rego", "not requests.ticketed", "requests.ticketed"),
        ("chancery/rules/ssh_admin.rego", "not standing.short_staging_access", "true"),
        ("chancery/rules/db_change.rego", "not artifacts.undoable", "artifacts.undoable"),
        ("chancery/rules/circumstances.rego", "not device_posture_known", "false"),
        ("chancery/rules/standing.rego", "not calendars.off_hours", "true"),
        ("chancery/lib/artifacts.rego", "artifact.size > 0", "artifact.size >= 0"),
        ("chancery/lib/signals.rego", "signal.status == \"known\"", "signal.status != \"\""),
        ("chancery/rules/watch.rego", "not done in values", "done in values"),
    ] {
        let text = String::from_utf8(common::default_bundle().files()[file].clone()).unwrap();
        assert!(text.contains(from), "{from}");
        let mutant = common::bundle_with(&[(file, &text.replace(from, to))]);
        let report = run_tests(&mutant).unwrap();
        let rego = report.results.iter().filter(|result| result.file.ends_with("_test.rego"));
        assert!(
            rego.into_iter().any(|result| result.outcome != TestOutcome::Passed),
            "{from} -> {to} goes unnoticed"
        );
    }
}
