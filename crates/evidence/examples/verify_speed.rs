//! Prints how long one whole verification takes, beside the signatures that it cannot avoid:
//! `cargo run --release -p chancery-evidence --example verify_speed [ROUNDS [profile]]`. With `profile` nothing but the
//! checks without replay is done, for a profiler to look at.

use std::error::Error;
use std::time::{Duration, Instant};

use chancery_evidence::bundle::{pack, unpack};
use chancery_evidence::verify::{Options, verify, verify_zip};
use chancery_testkit::scenario::{Scenario, certificate_reader};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 200;

fn median(
    rounds: usize,
    mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<Duration, Box<dyn Error>> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let started = Instant::now();
        work()?;
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times.get(rounds / 2).copied().unwrap_or_default())
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let scenario = Scenario::honest();
    let trust = scenario.trust();
    let files = scenario.bundle();
    let zip = pack(&files)?;
    let options = Options { certificates: Some(&certificate_reader), ..Options::default() };
    let checks = |options: Options<'_>| {
        median(rounds, || {
            let verification = verify(&files, &trust, &options);
            if verification.logged.is_some() { Ok(()) } else { Err("no approval".into()) }
        })
    };
    if std::env::args().nth(2).is_some() {
        checks(Options { without_replay: true, ..options })?;
        return Ok(());
    }

    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(|_| "no key")?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random)
        .map_err(|_| "no key")?;
    let signature = key.sign(&random, b"message").map_err(|_| "no signature")?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public_key().as_ref());
    let raw = median(rounds, || public.verify(b"message", signature.as_ref()).map_err(|_| "refused".into()))?;

    let whole = median(rounds, || match verify_zip(&zip, &trust, &options).passed() {
        true => Ok(()),
        false => Err("the honest bundle does not verify".into()),
    })?;
    let unpacked = median(rounds, || unpack(&zip).map(drop).map_err(Into::into))?;
    let without_replay = checks(Options { without_replay: true, ..options })?;
    let with_replay = checks(options)?;
    println!("limit: one raw ECDSA P-256 verification       {raw:>10.1?}");
    println!("unpack {} files, {} bytes                {unpacked:>10.1?}", files.len(), zip.len());
    println!("all checks without replay                     {without_replay:>10.1?}");
    println!("all checks with replay of the verdicts        {with_replay:>10.1?}");
    println!("unpack and all checks                         {whole:>10.1?}");
    Ok(())
}
