//! Everything that reads bytes of strangers, as functions that a fuzzer can call (`fuzz/`, `scripts/fuzz`) and that
//! `tests/replay.rs` calls with every file of the committed corpora. Not part of the product.
//!
//! A target asserts more than that nothing panics: what is read writes itself back to the same bytes, two readers
//! agree, a signature covers what it is said to cover. It returns whether the bytes were taken, so that a corpus of
//! which everything is refused can be told from one that tests something.
#![expect(clippy::unwrap_used, reason = "a target says what is wrong by panicking")]

#[cfg(feature = "arguments")]
mod arguments;
mod cbor;
mod documents;
mod evidence;
mod ledger;
mod planted;
mod policy;
mod ssh;
mod webauthn;

pub use planted::PLANTED;
pub use webauthn::{Stranger, challenge, relying_party};

/// One reader of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is also that of its fuzzer and of the folder of its corpus.
    pub name: &'static str,
    /// Reads the bytes and asserts what must hold; whether they were taken.
    pub run: fn(&[u8]) -> bool,
    /// The longest input that a fuzzer need try, in bytes.
    pub longest: usize,
}

/// Every target, from the log upwards.
pub const TARGETS: &[Target] = &[
    target("note", ledger::note, 4096),
    target("checkpoint", ledger::checkpoint, 1024),
    target("tile_path", ledger::tile_path, 256),
    target("entry_bundle", ledger::entry_bundle, 16 * 1024),
    target("log_proof", ledger::log_proof, 16 * 1024),
    target("json", documents::json, 4096),
    target("document", documents::document, 16 * 1024),
    target("event_leaf", documents::event_leaf, 4096),
    target("disclosure", documents::disclosure, 4096),
    target("request_body", documents::request_body, 8192),
    target("cose_key", webauthn::cose_key, 1024),
    target("authenticator_data", webauthn::authenticator_data, 1024),
    target("attestation_object", webauthn::attestation_object, 4096),
    target("assertion", webauthn::assertion, 4096),
    target("signed_assertion", webauthn::signed_assertion, 1024),
    target("ssh_key", ssh::key, 8192),
    target("ssh_certificate", ssh::certificate, 8192),
    target("ssh_signature", ssh::signature, 4096),
    target("ssh_revocations", ssh::revocations, 8192),
    target("evidence_zip", evidence::evidence_zip, 256 * 1024),
    target("evidence_file", evidence::evidence_file, 16 * 1024),
    target("policy_module", policy::policy_module, 4096),
    #[cfg(feature = "arguments")]
    target("arguments", arguments::arguments, 1024),
];

const fn target(name: &'static str, run: fn(&[u8]) -> bool, longest: usize) -> Target {
    Target { name, run, longest }
}

/// The target of this name.
pub fn named(name: &str) -> Option<Target> {
    TARGETS.iter().chain([&PLANTED]).find(|target| target.name == name).copied()
}

/// For targets of text: what is no UTF-8 is refused before it reaches them, as every caller does.
fn text(bytes: &[u8], run: fn(&str) -> bool) -> bool {
    std::str::from_utf8(bytes).is_ok_and(run)
}
