//! The fuzzer of the target that has this program's name.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let target = chancery_hostile::named(env!("CARGO_BIN_NAME")).expect("every program has its target");
    if bytes.len() > target.longest {
        return Corpus::Reject;
    }
    (target.run)(bytes);
    Corpus::Keep
});
