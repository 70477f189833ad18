//! Bundles that are refused, each for its own reason.

#![allow(clippy::panic, reason = "helpers of tests")]

mod common;

use chancery_policy::{Bundle, BundleError};

fn refusal(files: &[(&str, &str)]) -> BundleError {
    let mut all = common::default_bundle().files().clone();
    all.extend(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())));
    match Bundle::from_files(all) {
        Err(refusal) => refusal,
        Ok(bundle) => match chancery_policy::Engine::prepare(bundle) {
            Err(refusal) => refusal,
            Ok(_) => panic!("accepted: {files:?}"),
        },
    }
}

fn module(body: &str) -> BundleError {
    refusal(&[(
        "chancery/rules/zz_extra.rego",
        &format!("package chancery\n\nimport data.chancery.lib.people\n\n{body}\n"),
    )])
}

#[test]
fn references_to_nothing() {
    for (body, reference) in [
        ("x if not data.chancery.denny", "chancery.denny"),
        ("x if not people.for_selff", "chancery.lib.people.for_selff"),
        ("x if people.holdz(input.requester, \"a\")", "chancery.lib.people.holdz"),
        ("x if data.thresholds.tier_hihg.value > 1", "thresholds.tier_hihg.value"),
        ("x if data.thresholds[\"tier_hihg\"].value > 1", "thresholds.tier_hihg.value"),
        ("x if data.entitlements[\"ssh-admin\"].policy.nope", "entitlements.ssh-admin.policy.nope"),
        ("x if count([1 | some y in data.nope; y > 1]) > 1", "nope"),
        ("x if every y in input.z { not data.nope[y] }", "nope"),
        // Tests are not part of what judges.
        ("x if data.chancery.fixtures.calm", "chancery.fixtures.calm"),
    ] {
        match module(body) {
            BundleError::UnknownReference { file, line, reference: found } => {
                assert_eq!(
                    (file.as_str(), line, found.as_str()),
                    ("chancery/rules/zz_extra.rego", 5, reference)
                );
            }
            other => panic!("{body}: {other}"),
        }
    }
    let import = refusal(&[(
        "chancery/rules/zz.rego",
        "package chancery\n\nimport data.chancery.lib.nope\n\nx if nope.y\n",
    )]);
    assert!(matches!(import, BundleError::UnknownReference { .. }), "{import}");
}

#[test]
fn builtins_that_could_answer_differently_tomorrow() {
    for call in [
        "time.now_ns()",
        "http.send({})",
        "rand.intn(\"a\", 3)",
        "uuid.rfc4122(\"a\")",
        "opa.runtime()",
        "net.lookup_ip_addr(\"a\")",
        "numbers.range(1, 1000000000)",
        "bits.lsh(1, 1000000)",
        "not_a_builtin(1)",
        "time.parse_rfc3339_ns(\"a\")",
    ] {
        match module(&format!("x := {call}")) {
            BundleError::Builtin { builtin, .. } => assert!(call.starts_with(&builtin)),
            other => panic!("{call}: {other}"),
        }
        assert!(
            matches!(module(&format!("x if [1 | {call} == 1][0] == 1")), BundleError::Builtin { .. }),
            "{call}"
        );
    }
}

/// The engine's parser takes twice as long for every level; a file of 60 bytes kept it busy for a minute.
#[test]
fn brackets_without_end() {
    for (open, close) in
        [("[", "]"), ("{", "}"), ("{\"a\": ", "}"), ("[{", "}]"), ("([", "])"), ("f([", "])")]
    {
        for depth in [25, 40_000] {
            let nested = format!("x := {}1{}", open.repeat(depth), close.repeat(depth));
            let refusal = module(&nested).to_string();
            assert!(refusal.contains("too deep") || refusal.contains("over the limit"), "{open}: {refusal}");
        }
        let many = format!("x := {}1{}\n\n", open.repeat(9), close.repeat(9)).repeat(1_200);
        assert!(module(&many).to_string().contains("too deep"), "{open}");
    }
    // What is no bracket does not count.
    let open = "[{(".repeat(10);
    let said = format!("x := \"{open} \\\" {open}\" # {open}\n\ny := `{open}`\n\nz if undefined_name == 1");
    assert!(!module(&said).to_string().contains("too deep"));
}

/// Operators stand inside each other as brackets do, over as many lines as there are: a stack that overflows is the end
/// of the program, which no `catch_unwind` sees.
#[test]
fn chains_without_end() {
    let chain = |operand: &str, operator: &str| vec![operand; 8_000].join(&format!(" {operator}\n"));
    for expression in [
        chain("1", "+"),
        chain("a", "-"),
        chain("1", "*"),
        chain("x", "%"),
        chain("{1}", "|"),
        chain("{1}", "&"),
        chain("a", "=="),
        chain("a", "in"),
        chain("a", "# a comment\n\n+"),
        format!("{}1", "- ".repeat(20_000)),
        format!("{}a", "-\n".repeat(20_000)),
        format!("a{}", ".b".repeat(300)),
        format!("a{}", "[0]".repeat(300)),
        format!("({}){}", vec!["1"; 60].join(" + "), " + 1".repeat(60)),
        format!("1{}", " + f(1".repeat(12) + &" + 1".repeat(90) + &")".repeat(12)),
    ] {
        let refusal = module(&format!("x := {expression}")).to_string();
        assert!(refusal.contains("too many operators"), "{}: {refusal}", &expression[..20]);
        let refusal = module(&format!("x if {{\n\ty := 1\n\t{expression}\n}}")).to_string();
        assert!(refusal.contains("too many operators"), "{}: {refusal}", &expression[..20]);
    }
    // Many of them behind each other are no chain.
    let statements = "\tinput.x.y == 1 + 2\n".repeat(200);
    let parts = vec!["1 + 2"; 200].join(", ");
    let many = format!("x if {{\n{statements}}}\n\ny := [{parts}]\n\nz if undefined_name == 1");
    assert!(!module(&many).to_string().contains("too many operators"));
}

/// So do rules that need rules, and statements behind each other.
#[test]
fn rules_that_lead_too_deep() {
    let rules = |depth: usize, rule: &dyn Fn(usize) -> String| {
        let all: String = (0..depth).map(rule).collect();
        format!("{all}r{depth} := 1\n\nf{depth}(x) := x\n")
    };
    let sum = " + 1".repeat(90);
    for body in [
        rules(2_000, &|at| format!("r{at} := r{}\n\n", at + 1)),
        rules(2_000, &|at| format!("f{at}(x) := f{}(x)\n\n", at + 1)),
        rules(200, &|at| {
            format!("r{at} contains x if {{\n\tsome x in [1]\n\tevery y in [1] {{ r{}\n}}\n}}\n\n", at + 1)
        }),
        rules(200, &|at| format!("r{at} := [[r{} | true] | true]\n\n", at + 1)),
        rules(20, &|at| format!("r{at} := r{}{sum}\n\n", at + 1)),
        format!("r if {{\n{}}}\n", "\tsome x in input.a\n".repeat(2_000)),
    ] {
        let refusal = module(&body);
        assert!(matches!(refusal, BundleError::TooDeep { .. }), "{refusal}");
    }
    let many = rules(40, &|at| format!("r{at} := r{}\n\n", at + 1)) + "\nz if undefined_name == 1";
    assert!(matches!(module(&many), BundleError::Rego { .. }), "{}", module(&many));
}

#[test]
fn modules() {
    assert!(matches!(module("x if {"), BundleError::Rego { .. }));
    assert!(matches!(module("x if undefined_name == 1"), BundleError::Rego { .. }));
    assert!(matches!(module("x if y\n\ny if z\n\nz if x"), BundleError::Recursion { .. }));
    assert!(matches!(module("f(x) := f(x)"), BundleError::Recursion { .. }));
    assert!(matches!(module("deny := true"), BundleError::NotASet { .. }));
    assert!(matches!(module("default allow := true"), BundleError::NotASet { .. }));
    assert!(matches!(module("deny[x] := 1 if some x in [1]"), BundleError::NotASet { .. }));
    let elsewhere = refusal(&[("chancery/rules/x.rego", "package authz\n\nallow if true\n")]);
    assert!(matches!(elsewhere, BundleError::Package { .. }));
    let unnamed = refusal(&[(
        "chancery/rules/x.rego",
        "package chancery.team\n\ndeny contains {\"rule\": \"x\"} if true\n",
    )]);
    assert!(matches!(unnamed, BundleError::UnnamedRoot { .. }));
}

#[test]
fn paths_and_sizes() {
    for path in [
        "../x.rego",
        "a/../x.rego",
        "/x.rego",
        "a//x.rego",
        "a/./x.rego",
        "chancery\\x.rego",
        "README.md",
        "x.yaml",
        "tests/golden/a/b.json",
        "tests/x.rego",
        "chancery/x_test.rego",
        "chancery/ä.rego",
        "a/b/c/d/e/f/g/h/x.rego",
        "tests/golden/.json/x",
    ] {
        assert!(matches!(refusal(&[(path, "package chancery\n")]), BundleError::Path { .. }), "{path}");
    }
    let large = "#".repeat(chancery_policy::bundle::MAX_FILE_BYTES + 1);
    assert!(matches!(refusal(&[("chancery/x.rego", &large)]), BundleError::TooLarge { .. }));
    let names: Vec<String> = (0..600).map(|number| format!("chancery/rules/x{number}.rego")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "package chancery\n")).collect();
    assert!(matches!(refusal(&many), BundleError::TooLarge { .. }));
}

#[test]
fn settings() {
    let good = "[limits]\nfuel = 100000\nmemory_bytes = 16777216\n[gates]\ncoverage_percent = 90\nnewly_allowed_percent = 0\n[roots.chancery]\nowners = [\"o\"]\n[roots.\"chancery.standing\"]\nowners = [\"o\"]\n";
    let mut files = common::default_bundle().files().clone();
    files.insert("bundle.toml".to_owned(), good.as_bytes().to_vec());
    Bundle::from_files(files).unwrap();
    for text in [
        String::new(),
        format!("extra = 1\n{good}"),
        good.replace("fuel = 100000", "fuel = 0"),
        good.replace("fuel = 100000\n", ""),
        good.replace("= 16777216", "= 1"),
        good.replace("percent = 90", "percent = 101"),
        good.replace("[roots.chancery]", "[roots.\"chancery.other\"]"),
        good.replace("chancery.standing", "standing"),
        good.replacen("[\"o\"]", "[]", 1),
        good.replacen("owners = [\"o\"]", "owners = [\"o\"]\nallows = true", 1),
    ] {
        assert!(matches!(refusal(&[("bundle.toml", &text)]), BundleError::Settings(_)), "{text}");
    }
}

#[test]
fn data() {
    let threshold = |value: i64| {
        format!("tier_medium: {{value: {value}, minimum: 10, maximum: 40, unit: points, description: x}}\n")
    };
    let entitlement =
        String::from_utf8(common::default_bundle().files()["entitlements/ssh-admin/data.yaml"].clone())
            .unwrap();
    let ssh = "entitlements/ssh-admin/data.yaml";
    for (path, text) in [
        ("thresholds/data.yaml", threshold(41)),
        ("thresholds/data.yaml", threshold(20)),
        ("thresholds/data.json", "{\"tier_medium\": 1}".to_owned()),
        ("own/data.yaml", "a: 1\na: 2\n".to_owned()),
        ("own/data.yaml", "- 1\n".to_owned()),
        ("own/data.yaml", "a: 0.5\n".to_owned()),
        ("own/data.yaml", "a: 9007199254740993\n".to_owned()),
        ("own/data.json", "{\"a\": 1, \"a\": 2}".to_owned()),
        ("chancery/data.yaml", "deny: []\n".to_owned()),
        ("data.yaml", "chancery: {}\n".to_owned()),
        ("entitlements/Big/data.yaml", entitlement.clone()),
        (ssh, entitlement.replace("kind: access", "kind: magic")),
        (ssh, entitlement.replace("kind: access", "kind: access\nsort: x")),
        (ssh, entitlement.replace("grant_seconds: 900", "grant_seconds: 0")),
        (ssh, entitlement.replace("parameter: principal", "parameter: login")),
        (ssh, entitlement.replace("additionalProperties: false", "additionalProperties: true")),
        (ssh, entitlement.replace("maxLength: 32\n", "")),
        (ssh, entitlement.replace("maxLength: 32", "maxLength: 32\n      format: hostname")),
        (ssh, entitlement.replace("pattern: ^[a-z_]", "pattern: \"[a-z_]")),
        (ssh, entitlement.replace("required: [host,", "required: [hots,")),
    ] {
        assert!(matches!(refusal(&[(path, &text)]), BundleError::Data { .. }), "{path}: {text}");
    }
}

#[test]
fn links_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/hostname", directory.path().join("data.yaml")).unwrap();
    assert!(matches!(Bundle::read(directory.path()), Err(BundleError::Path { .. })));
    assert!(matches!(Bundle::read(&directory.path().join("nope")), Err(BundleError::Unreadable { .. })));
}
