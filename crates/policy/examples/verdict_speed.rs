//! Prints how long a verdict of the default bundle takes, beside a bare evaluation of the same rules by the Rego
//! engine, without limits, checks or composition: `cargo run -p chancery-policy --example verdict_speed [ROUNDS]`.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use chancery_canonical::Canonical;
use chancery_canonical::json::Value;
use chancery_policy::{Bundle, ConcealedInput, Engine};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 2_000;

/// The sets of which a verdict is made, asked for one by one as `opa eval` users do.
const SETS: [&str; 5] = ["constraint", "deny", "obligation", "risk", "stage"];

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let started = Instant::now();
    let bundle = Bundle::read(&directory)?;
    println!("read and check the bundle: {:?}", started.elapsed());
    let input = input(&bundle)?;
    let mut bare = bare_engine(&bundle)?;
    let started = Instant::now();
    let engine = Engine::prepare(bundle)?;
    println!("prepare the engine: {:?}", started.elapsed());

    let input = ConcealedInput { document: Canonical::of(&input)?, disclosures: Vec::new() };
    let mut verdicts = Vec::with_capacity(rounds);
    let mut evaluations = Vec::with_capacity(rounds);
    // In turns, so that a noisy neighbour disturbs both.
    for _ in 0..rounds {
        let started = Instant::now();
        let judgement = engine.judge(&input)?;
        verdicts.push(started.elapsed());
        if let Some(fault) = judgement.fault {
            return Err(fault.into());
        }
        let started = Instant::now();
        evaluate_bare(&mut bare, input.document.as_str())?;
        evaluations.push(started.elapsed());
    }
    println!("input: {} bytes", input.document.as_str().len());
    print_times("limit: bare Rego engine, set by set", &mut evaluations);
    print_times("verdict", &mut verdicts);
    Ok(())
}

fn input(bundle: &Bundle) -> Result<Value, Box<dyn Error>> {
    let entitlement = bundle.entitlement("ssh-admin").ok_or("no `ssh-admin`")?;
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
    Ok(input)
}

fn bare_engine(bundle: &Bundle) -> Result<regorus::Engine, Box<dyn Error>> {
    let mut engine = regorus::Engine::new();
    // Stand-ins: the engine has these two only together with its `std` feature.
    let truth = |_: Vec<regorus::Value>| Ok(regorus::Value::from(true));
    engine.add_extension("net.cidr_contains".to_owned(), 2, Box::new(truth))?;
    engine.add_extension("net.cidr_is_valid".to_owned(), 1, Box::new(truth))?;
    for (path, text) in bundle.modules().filter(|(path, _)| !path.starts_with("tests/")) {
        engine.add_policy(path.to_owned(), text.to_owned())?;
    }
    engine.add_data_json(Canonical::of(bundle.data())?.as_str())?;
    Ok(engine)
}

fn evaluate_bare(engine: &mut regorus::Engine, input: &str) -> Result<(), Box<dyn Error>> {
    engine.set_input_json(input)?;
    for set in SETS {
        black_box(engine.eval_rule(format!("data.chancery.{set}"))?);
    }
    black_box(engine.eval_rule("data.chancery.standing.allow".to_owned())?);
    black_box(engine.eval_rule("data.chancery.standing.risk".to_owned())?);
    Ok(())
}

fn print_times(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    println!("{what}: p50 {:?}, p99 {:?}", at(50), at(99));
}
