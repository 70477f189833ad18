//! What can be said of the files before any of them is understood.

use std::collections::BTreeSet;

use chancery_canonical::Canonical;

use super::check::Finding;
use crate::bundle::{BundleFiles, Manifest, check_paths, layout};

/// Names, number and sizes.
pub(super) fn container(files: &BundleFiles) -> Finding<()> {
    Finding::of(check_paths(files).err().map(|refusal| refusal.to_string()).into_iter().collect())
}

/// `evidence.json`, and that no other file stands in the bundle than it lists or its leaves call for.
pub(super) fn manifest(files: &BundleFiles) -> Finding<Manifest> {
    let manifest = match Manifest::read(files) {
        Ok(manifest) => manifest,
        Err(error) => return Finding::fail(error.to_string()),
    };
    let mut problems = manifest.problems(files);
    problems.extend(unexpected(files, &manifest));
    problems.extend(identity_summaries(files, &manifest));
    Finding::with(manifest, problems)
}

pub(super) fn file_digests(files: &BundleFiles, manifest: &Manifest) -> Finding<()> {
    let changed = manifest.changed_files(files);
    let said = |path: String| format!("`{path}` does not have the bytes that `evidence.json` lists");
    Finding::of(changed.into_iter().map(said).collect())
}

/// Evidence that no check would read is refused: it could be taken for checked.
fn unexpected(files: &BundleFiles, manifest: &Manifest) -> Vec<String> {
    let mut expected: BTreeSet<String> = [
        layout::MANIFEST,
        layout::REQUEST,
        layout::VERDICT,
        layout::INPUT,
        layout::CHECKPOINT,
        layout::REQUEST_DISCLOSURES,
        layout::INPUT_DISCLOSURES,
    ]
    .map(str::to_owned)
    .into();
    expected.extend(manifest.identity.keys().map(layout::identity));
    for index in manifest.all_leaves() {
        expected.extend([layout::leaf(index), layout::proof(index), layout::disclosures(index)]);
    }
    for index in &manifest.leaves {
        expected.extend([layout::verdict(*index), layout::input(*index), layout::input_disclosures(*index)]);
    }
    expected.extend(manifest.all_leaves().into_iter().map(layout::attestation));
    let prefixes = [layout::POLICY_PREFIX, layout::CREDENTIAL_PREFIX, layout::REGISTRATION_PREFIX];
    let prefixed = |path: &str| prefixes.iter().any(|prefix| path.starts_with(prefix));
    let loose = files
        .keys()
        .filter(|path| layout::is_evidence(path) && !prefixed(path) && !expected.contains(path.as_str()));
    loose.map(|path| format!("`{path}` is no file that evidence of these leaves has")).collect()
}

/// `identity/<person>.json` repeats the manifest for readers who look there; it must say the same.
fn identity_summaries(files: &BundleFiles, manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    for (person, leaves) in &manifest.identity {
        let path = layout::identity(person);
        let said = serde_json::json!({ "person": person, "leaves": leaves });
        let expected = Canonical::of_value(&said).ok();
        if files.get(&path).map(Vec::as_slice) != expected.as_ref().map(Canonical::as_bytes) {
            problems.push(format!(
                "`{path}` does not list the leaves that `evidence.json` lists for this person"
            ));
        }
    }
    problems
}
