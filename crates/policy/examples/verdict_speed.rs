//! Prints how long a verdict of the default bundle takes: `cargo run -p chancery-policy --example verdict_speed`.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use chancery_canonical::Canonical;
use chancery_canonical::json::Value;
use chancery_policy::{Bundle, ConcealedInput, Engine};

const ROUNDS: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let started = Instant::now();
    let bundle = Bundle::read(&directory)?;
    let entitlement = bundle.entitlement("ssh-admin").ok_or("no `ssh-admin`")?.clone();
    let golden = bundle.files().get("tests/golden/ssh-admin-staging.json").ok_or("no golden input")?;
    let mut input = serde_json::from_slice::<Value>(golden)?
        .pointer("/ssh-admin-staging/input")
        .cloned()
        .ok_or("no input in the golden file")?;
    if let Some(request) = input.get_mut("request").and_then(Value::as_object_mut) {
        request.remove("justification");
        request.insert(
            "entitlement".to_owned(),
            serde_json::json!({"name": "ssh-admin", "sha256": entitlement.digest()}),
        );
    }
    input.as_object_mut().ok_or("no object")?.insert("entitlement".to_owned(), entitlement.data().clone());
    let engine = Engine::prepare(bundle)?;
    println!("load and prepare: {:?}", started.elapsed());

    let input = ConcealedInput { document: Canonical::of(&input)?, disclosures: Vec::new() };
    let mut times: Vec<Duration> = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let judgement = engine.judge(&input)?;
        times.push(started.elapsed());
        if let Some(fault) = judgement.fault {
            return Err(fault.into());
        }
    }
    times.sort();
    let at = |share: usize| times.get(ROUNDS * share / 100).copied().unwrap_or_default();
    println!("input: {} bytes; verdict p50 {:?}, p99 {:?}", input.document.as_str().len(), at(50), at(99));
    Ok(())
}
