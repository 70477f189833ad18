//! Which engine spoke: a verdict can be replayed by an engine of the same name, and by no other for certain.

use std::sync::LazyLock;

use chancery_canonical::Sha256;

/// The sources that turn sets of a Rego evaluation into a verdict.
const COMPOSING_SOURCES: [&str; 11] = [
    include_str!("bundle/data.rs"),
    include_str!("bundle/settings.rs"),
    include_str!("compose.rs"),
    include_str!("compose/stages.rs"),
    include_str!("contribution.rs"),
    include_str!("entitlement.rs"),
    include_str!("evaluate.rs"),
    include_str!("form.rs"),
    include_str!("fuel.rs"),
    include_str!("network.rs"),
    include_str!("rego.rs"),
];

static ENGINE_VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut parts: Vec<&[u8]> = vec![env!("CHANCERY_ENGINE_CHECKSUMS").as_bytes()];
    for source in &COMPOSING_SOURCES {
        // A digest of each, so that no byte can move from one source to the next unseen.
        parts.push(b"\n");
        parts.push(source.as_bytes());
        parts.push(b"\0");
    }
    format!("regorus {} sha256:{}", env!("CHANCERY_ENGINE_VERSION"), Sha256::of_parts(&parts))
});

/// `regorus <version> sha256:<hex>`, where the digest covers the registry's checksums of the engine's crates and
/// this crate's composing sources: the same on every machine for the same commit.
pub fn engine_version() -> &'static str {
    &ENGINE_VERSION
}
