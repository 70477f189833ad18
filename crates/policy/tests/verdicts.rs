//! What comes out of the default bundle, and of one that somebody added a module to.

mod common;

use std::collections::BTreeSet;

use chancery_canonical::Canonical;
use chancery_policy::{Bundle, Engine, PolicyFault, Replay, engine_version, replay};
use serde_json::{Value, json};

use common::{conceal, default_bundle, judge, points, rules, ssh};

#[test]
fn a_production_login_needs_two_stages() {
    let verdict = judge(&[], &ssh("production"));
    assert_eq!(verdict["verdict"], "require_approval");
    assert_eq!(
        verdict["stages"],
        json!([
            {"id": "security", "quorum": 1, "from": {"role": "security"}, "after": []},
            {"id": "service_owner", "quorum": 1, "from": {"role": "service_owner"}, "after": []},
        ])
    );
    assert_eq!(verdict["constraints"]["grant_seconds"], 300);
    assert_eq!(verdict["constraints"]["scopes"], json!({"host": ["web-1.example"], "principal": ["deploy"]}));
    assert_eq!(verdict["reasons"], json!([]));
    let sum: i64 = points(&verdict).values().sum();
    assert_eq!(verdict["risk"]["score"].as_i64(), Some(sum));
    assert_eq!(verdict["engine"], engine_version());
}

/// One change of the request, and the rule that must deny it, with a remedy.
#[test]
fn denied_with_a_reason_and_a_remedy() {
    type Change = fn(&mut Value);
    let table: [(&str, Change); 13] = [
        ("ssh_admin.blocked_principal", |input| input["request"]["parameters"]["principal"] = json!("root")),
        ("ssh_admin.blocked_host", |input| input["request"]["parameters"]["host"] = json!("chancery-1")),
        ("ssh_admin.ticket", |input| drop(input["request"].as_object_mut().unwrap().remove("ticket"))),
        ("production.justification", |input| {
            drop(input["request"].as_object_mut().unwrap().remove("justification"))
        }),
        ("chancery.grant_too_long", |input| input["request"]["clocks"]["grant_seconds"] = json!(901)),
        ("chancery.no_time_left", |input| input["request"]["clocks"]["grant_seconds"] = json!(0)),
        ("chancery.unknown_entitlement", |input| {
            input["request"]["entitlement"] = json!({"name": "ssh-root", "sha256": "00".repeat(32)});
            input["entitlement"] = json!({"risk_tier": "low"});
        }),
        ("chancery.entitlement_changed", |input| {
            input["request"]["entitlement"]["sha256"] = json!("00".repeat(32))
        }),
        ("chancery.entitlement_changed", |input| {
            input["entitlement"] =
                json!({"risk_tier": "low", "policy": {"blocked_principals": [], "blocked_hosts": []}})
        }),
        ("chancery.may_not_ask", |input| input["requester"]["roles"] = json!(["security"])),
        ("chancery.other_requester", |input| {
            input["requester"]["person"] = json!("01ARZ3NDEKTSV4RRFFQ69G5FAW")
        }),
        ("chancery.form", |input| input["request"]["parameters"]["host"] = json!("-oProxyCommand=x")),
        ("chancery.form", |input| input["request"]["parameters"]["extra"] = json!(1)),
    ];
    for (rule, change) in table {
        let mut input = ssh("production");
        change(&mut input);
        let verdict = judge(&[], &input);
        assert_eq!(verdict["verdict"], "deny", "{rule}");
        assert!(rules(&verdict).contains(rule), "{rule}: {verdict}");
        assert_eq!(verdict["stages"], json!([]));
        for reason in verdict["reasons"].as_array().unwrap() {
            assert!(
                !reason["message"].as_str().unwrap().is_empty()
                    && !reason["remedy"].as_str().unwrap().is_empty()
            );
        }
    }
}

#[test]
fn clocks_from_one_second_to_the_longest() {
    for seconds in [1, 5, 899, 900] {
        let mut input = ssh("production");
        input["request"]["clocks"]["grant_seconds"] = json!(seconds);
        let verdict = judge(&[], &input);
        assert_eq!(verdict["verdict"], "require_approval", "{seconds}");
        assert_eq!(verdict["constraints"]["grant_seconds"], json!(seconds));
        assert_eq!(verdict["constraints"]["session_seconds"], json!(seconds));
    }
}

#[test]
fn unknown_signals_are_stricter_never_a_pass() {
    let calm = judge(&[], &ssh("production"));
    let mut blind = ssh("production");
    blind["signals"] = json!({});
    let blind = judge(&[], &blind);
    assert_eq!(blind["verdict"], "require_approval");
    assert!(blind["risk"]["score"].as_u64() > calm["risk"]["score"].as_u64());
    assert!(points(&blind).contains_key("device.unknown") && points(&blind).contains_key("origin.unknown"));
}

const EXTRA: &str = "chancery/rules/zz_extra.rego";

/// A module that somebody adds, and what the verdict on a production login becomes.
#[test]
fn a_module_more_only_tightens() {
    let deny = |rule: &'static str| ("deny", Some(rule));
    let approval = ("require_approval", None);
    for (module, (outcome, rule)) in [
        ("deny contains {\"rule\": \"x\", \"message\": \"m\", \"remedy\": \"r\"} if true", deny("x")),
        ("allow contains {\"rule\": \"x\"} if true", deny("chancery.allow_not_permitted")),
        (
            "risk contains {\"factor\": \"x\", \"points\": -50, \"detail\": \"d\"} if true",
            deny("chancery.negative_points_not_permitted"),
        ),
        ("risk contains {\"factor\": \"x\", \"points\": 100, \"detail\": \"d\"} if true", approval),
        (
            "stage contains {\"id\": \"security\", \"quorum\": 3, \"from\": {\"group\": \"g\"}, \"after\": [\"service_owner\"]} if true",
            approval,
        ),
        (
            "stage contains {\"id\": \"x\", \"quorum\": 0, \"from\": {\"group\": \"g\"}} if true",
            deny("chancery.empty_quorum"),
        ),
        (
            "stage contains {\"id\": \"x\", \"quorum\": 1, \"from\": {\"group\": \"g\"}, \"after\": [\"nope\"]} if true",
            deny("chancery.unknown_stage"),
        ),
        (
            "stage contains {\"id\": \"x\", \"quorum\": 1, \"from\": {\"group\": \"g\"}, \"after\": [\"x\"]} if true",
            deny("chancery.circular_stages"),
        ),
        ("constraint contains {\"grant_seconds\": 0} if true", deny("chancery.no_time_left")),
        ("constraint contains {\"grant_seconds\": 86400} if true", approval),
        ("constraint contains {\"scopes\": {\"host\": [\"other\"]}} if true", deny("chancery.no_scope_left")),
        ("obligation contains \"x\" if true", approval),
    ] {
        let verdict = with_module(module);
        assert_eq!(verdict["verdict"], outcome, "{module}: {verdict}");
        assert!(rule.is_none_or(|rule| rules(&verdict).contains(rule)), "{module}: {verdict}");
    }
}

/// The verdict on a production login when this is added to the default bundle.
fn with_module(body: &str) -> Value {
    judge(&[(EXTRA, &format!("package chancery\n\n{body}\n"))], &ssh("production"))
}

/// Wrong shapes, errors, conflicts, endless work.
#[test]
fn every_fault_denies() {
    for module in [
        "obligation contains 7 if true",
        "deny contains \"x\" if true",
        "deny contains {\"rule\": \"x\", \"message\": \"m\"} if true",
        "risk contains {\"factor\": \"x\", \"points\": 0.5, \"detail\": \"d\"} if true",
        "risk contains {\"factor\": \"bounded\", \"points\": 1, \"detail\": \"d\"} if true",
        "risk contains {\"factor\": \"x\", \"points\": 101, \"detail\": \"d\"} if true",
        "constraint contains {} if true",
        "constraint contains {\"grant_secs\": 5} if true",
        "stage contains {\"id\": \"x\", \"quorum\": 1, \"from\": {\"rôle\": \"g\"}} if true",
        "deny contains {\"rule\": \"x\", \"message\": \"m\", \"remedy\": \"r\"} if to_number(\"x\") == 1",
        "deny contains {\"rule\": \"x\", \"message\": \"m\", \"remedy\": \"r\"} if regex.match(\"(\", \"x\")",
        "v := 1\nv := 2\ndeny contains {\"rule\": \"x\", \"message\": \"m\", \"remedy\": \"r\"} if v == 3",
        "n := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\nobligation contains \"x\" if count([1 | some _ in n; some _ in n; some _ in n; some _ in n; some _ in n; some _ in n]) == 1",
    ] {
        let verdict = with_module(module);
        assert_eq!(verdict["verdict"], "deny", "{module}: {verdict}");
        assert_eq!(rules(&verdict), BTreeSet::from(["engine.fault".to_owned()]), "{module}");
        assert_eq!(verdict["risk"]["tier"], "critical");
    }
}

#[test]
fn stages_of_one_id_become_one() {
    let text = "package chancery\n\nstage contains {\"id\": \"security\", \"quorum\": 2, \"from\": {\"all\": [{\"role\": \"security\"}, {\"group\": \"g\"}]}, \"after\": [\"service_owner\"]} if true\n";
    let verdict = judge(&[(EXTRA, text)], &ssh("production"));
    assert_eq!(
        verdict["stages"][0],
        json!({"id": "security", "quorum": 2, "from": {"all": [{"role": "security"}, {"group": "g"}]}, "after": ["service_owner"]})
    );
}

#[test]
fn nothing_matching_is_denied() {
    let mut files = default_bundle().files().clone();
    files.retain(|path, _| !path.starts_with("chancery/rules/") && !path.starts_with("tests/"));
    let bundle = Bundle::from_files(files).unwrap();
    let engine = Engine::prepare(bundle.clone()).unwrap();
    let verdict = engine.judge(&conceal(&bundle, &ssh("staging"))).unwrap().verdict.canonical().value();
    assert_eq!(rules(&verdict), BTreeSet::from(["chancery.default_deny".to_owned()]));
}

#[test]
fn allowed_only_by_a_root_that_may() {
    let entitlement =
        String::from_utf8(default_bundle().files()["entitlements/ssh-admin/data.yaml"].clone()).unwrap();
    let told = entitlement + "  standing_staging_seconds: 300\n";
    let files = [("entitlements/ssh-admin/data.yaml", told.as_str())];
    let verdict = judge(&files, &ssh("staging"));
    assert_eq!(verdict["verdict"], "allow");
    assert_eq!(rules(&verdict), BTreeSet::from(["standing.short_staging_access".to_owned()]));
    assert_eq!(judge(&files, &ssh("production"))["verdict"], "require_approval");
}

#[test]
fn a_score_is_bounded_and_its_points_still_sum_to_it() {
    let text =
        "package chancery\n\nrisk contains {\"factor\": \"x\", \"points\": 100, \"detail\": \"d\"} if true\n";
    let verdict = judge(&[(EXTRA, text)], &ssh("production"));
    assert_eq!(verdict["risk"]["score"], 100);
    assert_eq!(points(&verdict).values().sum::<i64>(), 100);
    assert!(points(&verdict)["bounded"] < 0);
}

#[test]
fn personal_strings_stay_out_of_the_verdict_and_of_the_input_document() {
    let text = "package chancery\n\ndeny contains {\"rule\": \"x\", \"message\": sprintf(\"%s at %s\", [input.requester.name, input.signals.origin.value.address]), \"remedy\": input.request.justification} if true\n";
    let bundle = common::bundle_with(&[(EXTRA, text)]);
    let mut clear = ssh("production");
    clear["requester"]["name"] = json!("Ada Lovelace");
    clear["requester"]["mail"] = json!("ada@example.org");
    clear["signals"]["origin"]["value"]["address"] = json!("192.0.2.77");
    let input = conceal(&bundle, &clear);
    let judgement = Engine::prepare(bundle).unwrap().judge(&input).unwrap();
    for document in [judgement.verdict.canonical(), &input.document] {
        for secret in ["Lovelace", "ada@", "192.0.2.77", "ledger service"] {
            assert!(!document.as_str().contains(secret), "{secret} in {document}");
        }
    }
    assert_eq!(input.disclosures.len(), 4);
    assert!(judgement.verdict.canonical().as_str().contains("(concealed) at (concealed)"));
}

#[test]
fn a_verdict_replays_byte_for_byte() {
    let bundle = default_bundle();
    let input = conceal(&bundle, &ssh("production"));
    let recorded =
        Engine::prepare(bundle.clone()).unwrap().judge(&input).unwrap().verdict.canonical().clone();
    let again = |disclosures: &[_], recorded: &[u8]| {
        replay(bundle.files(), &input.document, disclosures, recorded).unwrap()
    };

    assert_eq!(again(&input.disclosures, recorded.as_bytes()), Replay::Same);
    assert_eq!(
        again(&[], recorded.as_bytes()),
        Replay::NotReplayable { missing: vec!["/request".to_owned()] }
    );

    let mut forged = recorded.value();
    forged["stages"][0]["quorum"] = json!(2);
    let forged = Canonical::of(&forged).unwrap();
    let Replay::Different { computed, pointers } = again(&input.disclosures, forged.as_bytes()) else {
        panic!("a forged verdict is another one");
    };
    assert_eq!((computed, pointers), (recorded, vec!["/stages".to_owned()]));
    assert!(matches!(again(&input.disclosures, b"{ }"), Replay::Different { .. }));
}

#[test]
fn a_fault_is_told_to_the_operator_and_not_to_the_requester() {
    let bundle = common::bundle_with(&[(EXTRA, "package chancery\n\nobligation contains 7 if true\n")]);
    let judgement =
        Engine::prepare(bundle.clone()).unwrap().judge(&conceal(&bundle, &ssh("production"))).unwrap();
    assert!(matches!(judgement.fault, Some(PolicyFault::Shape(_))));
    assert!(!judgement.verdict.canonical().as_str().contains("obligation`"));
}

#[test]
fn another_engine_does_not_judge() {
    let settings = String::from_utf8(default_bundle().files()["bundle.toml"].clone()).unwrap();
    let pinned = format!("engine = \"regorus 0.0.1 sha256:00\"\n{settings}");
    assert_eq!(
        rules(&judge(&[("bundle.toml", &pinned)], &ssh("staging"))),
        BTreeSet::from(["engine.fault".to_owned()])
    );
    let pinned = format!("engine = \"{}\"\n{settings}", engine_version());
    assert_eq!(judge(&[("bundle.toml", &pinned)], &ssh("staging"))["verdict"], "require_approval");
}

#[test]
fn the_same_fuel_decides_in_every_thread() {
    let settings = String::from_utf8(default_bundle().files()["bundle.toml"].clone()).unwrap();
    // Beside it the default bundle alone would be done within the least fuel that a bundle may set.
    let work = "package chancery\n\nn := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\nobligation contains \"x\" if count([1 | some _ in n; some _ in n; some _ in n]) == 1\n";
    let bundle_of = |fuel: u64| {
        common::bundle_with(&[
            ("bundle.toml", &settings.replace("500_000", &fuel.to_string())),
            (EXTRA, work),
        ])
    };
    // Somewhere between is the least fuel that is enough; on both sides of it every thread must agree.
    let enough = |fuel: u64| {
        let bundle = bundle_of(fuel);
        let engine = Engine::prepare(bundle.clone()).unwrap();
        let input = conceal(&bundle, &ssh("production"));
        let answers: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| engine.judge(&input).unwrap().fault.is_none())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|answer| *answer == answers[0]), "fuel {fuel}");
        answers[0]
    };
    let (mut low, mut high) = (1_000, 100_000);
    assert!(enough(high) && !enough(low));
    while high - low > 32 {
        let middle = u64::midpoint(low, high);
        if enough(middle) { high = middle } else { low = middle }
    }
    for _ in 0..5 {
        assert!(enough(high + 32) && !enough(low - 32));
    }
}

#[test]
fn watching() {
    let engine = Engine::prepare(default_bundle()).unwrap();
    let calm = Canonical::of(&json!({"counts": {"approvals_2m": 1}})).unwrap();
    let storm = Canonical::of(&json!({"counts": {"approvals_2m": 40}})).unwrap();
    assert_eq!(engine.watch("alert", &calm).unwrap(), Vec::<Value>::new());
    assert_eq!(engine.watch("alert", &storm).unwrap()[0]["rule"], "alert.approval_storm");
}
