//! Policy, trust and log, to be read.

use crate::{Cast, cast};
use chancery_canonical::Sha256;
use serde_json::json;

#[test]
fn every_reason_leads_to_a_line() {
    let Cast { world, mut erin, olga, .. } = cast();
    let policy = world.call(&olga, "GET", "/api/v1/policy", None).good();
    let server = world.open("GET", "/api/v1/server", None).good();
    assert_eq!(policy["policy_sha256"], server["policy_sha256"]);
    let text = |path: &str| {
        let answer = world.call(&olga, "GET", &format!("/api/v1/policy/files/{path}"), None);
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        answer.good();
        String::from_utf8(answer.bytes).unwrap()
    };
    for file in policy["files"].as_array().unwrap() {
        let text = text(file["path"].as_str().unwrap());
        assert_eq!(file["sha256"], json!(Sha256::of(text.as_bytes()).to_hex()));
        assert_eq!(file["size"], json!(text.len()));
    }
    let sources = policy["sources"].as_array().unwrap();
    let leads = |part: &str, name: &str| {
        let source = sources.iter().find(|one| one["part"] == json!(part) && one["name"] == json!(name));
        let source = source.unwrap_or_else(|| panic!("{part} {name}"));
        let text = text(source["file"].as_str().unwrap());
        let line = usize::try_from(source["line"].as_u64().unwrap()).unwrap();
        let rule: Vec<&str> = text.lines().skip(line - 1).take(4).collect();
        assert!(rule[0].contains("contains") && rule.join("\n").contains(name), "{part} {name}: {rule:?}");
    };
    let view = world.request(&mut erin, "production");
    let view = world.view(&olga, &view);
    for factor in view["verdict"]["risk"]["factors"].as_array().unwrap() {
        leads("factor", factor["factor"].as_str().unwrap());
    }
    for stage in view["verdict"]["stages"].as_array().unwrap() {
        leads("stage", stage["id"].as_str().unwrap());
    }
    leads("rule", "ssh_admin.blocked_principal");
    leads("rule", "standing.short_staging_access");
    leads("obligation", "hardware_passkey");
}

#[test]
fn only_files_of_the_bundle_are_read() {
    let Cast { world, erin, .. } = cast();
    for path in [
        "../chancery.toml",
        "..%2fchancery.toml",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "entitlements",
        "entitlements/",
        "bundle.toml/",
        "bundle.toml%00",
        "BUNDLE.TOML",
    ] {
        let answer = world.call(&erin, "GET", &format!("/api/v1/policy/files/{path}"), None);
        assert!(answer.status == 404 || answer.status == 400, "{path}: {}", answer.status);
    }
}

#[test]
fn trust_and_log_say_what_others_say_too() {
    let Cast { world, erin, .. } = cast();
    let trust = world.call(&erin, "GET", "/api/v1/trust", None).good();
    let text = trust["text"].as_str().unwrap();
    assert_eq!(trust["sha256"], json!(Sha256::of(text.as_bytes()).to_hex()));
    let said: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(trust["version"], said["version"]);
    let log = world.call(&erin, "GET", "/api/v1/log", None).good();
    let checkpoint = world.open("GET", "/log/checkpoint", None);
    assert_eq!(log["checkpoint"].as_str().unwrap().as_bytes(), checkpoint.bytes);
    let note = log["checkpoint"].as_str().unwrap();
    let lines: Vec<&str> = note.lines().collect();
    assert_eq!((log["origin"].as_str().unwrap(), log["size"].to_string()), (lines[0], lines[1].to_owned()));
    assert_eq!(log["root"].as_str().unwrap().len(), 64);
    assert!(log["effects"]["due"].is_u64() && log["effects"]["alarmed"] == json!(0));
}
