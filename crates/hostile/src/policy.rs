//! Policy of strangers: whoever verifies evidence reads the bundle that came with it, and evaluates it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use chancery_canonical::Canonical;
use chancery_policy::bundle::MAX_FILE_BYTES;
use chancery_policy::{Bundle, Engine, PolicyFault};

/// The least data that a bundle needs, of the default policy: reading all of it takes longer than the rest together.
static DEFAULT: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let bundle = Bundle::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")).unwrap();
    let kept = |path: &str| ["thresholds/data.yaml", "entitlements/role-grant/data.yaml"].contains(&path);
    bundle
        .files()
        .iter()
        .filter(|(path, _)| kept(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
});

/// Few steps, so that what runs for ever ends soon.
const SETTINGS: &str = "[limits]\nfuel = 20_000\nmemory_bytes = 1_048_576\n\n\
    [gates]\ncoverage_percent = 90\nnewly_allowed_percent = 0\n\n\
    [roots.chancery]\nowners = [\"policy_owner\"]\nallow = true\nnegative_points = true\n";

/// The only module of a bundle, which is then asked what it says of one event.
pub fn policy_module(bytes: &[u8]) -> bool {
    if bytes.len() > MAX_FILE_BYTES {
        return false;
    }
    let mut files = DEFAULT.clone();
    files.insert("bundle.toml".to_owned(), SETTINGS.as_bytes().to_vec());
    files.insert("chancery/rules/stranger.rego".to_owned(), bytes.to_vec());
    match Bundle::from_files(files).and_then(Engine::prepare) {
        Ok(engine) => {
            ["alert", "violation"].iter().for_each(|set| judge(&engine, set));
            true
        }
        Err(refusal) => {
            assert!(refusal.to_string().len() <= 8192, "a refusal is short");
            false
        }
    }
}

/// Whatever the rules say is said twice.
fn judge(engine: &Engine, set: &str) {
    let input = serde_json::json!({"event": {"kind": "decision.recorded"}, "counts": {"requests_1h": 3}, "text": "a b"});
    let input = Canonical::of(&input).unwrap();
    let said = engine.watch(set, &input);
    assert!(!matches!(said, Err(PolicyFault::Trap { .. })), "the engine does not panic");
    assert_eq!(engine.watch(set, &input), said, "a verdict can be replayed");
}
