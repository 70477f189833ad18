//! What policy said: of what, by which files, and that it says it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chancery_canonical::json::Value;
use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::event::{Judged, Phase};
use chancery_domain::id::PersonId;
use chancery_domain::people::Directory;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::VerdictDocument;
use chancery_policy::{Bundle, BundleError, Engine, Entitlement, Replay, engine_version, replay_with};

use super::check::{CheckName, Finding, Runner};
use super::directories::Directories;
use super::disclosures;
use super::kept_policy::KeptPolicy;
use super::lifecycle::Case;
use super::requester::Asking;
use super::streams::Recorded;
use crate::bundle::{BundleFiles, layout};

/// How long before it is logged a verdict may have been computed, in seconds.
pub(super) const MAX_AGE_SECONDS: u64 = 300;

/// What `policy/` holds.
pub(super) struct Policy {
    /// The one that the request names.
    pub entitlement: Option<Entitlement>,
    /// All of it, ready to judge or why not; absent when nothing is to be evaluated.
    pub engine: Option<Result<Arc<Engine>, BundleError>>,
}

/// The bundle in `policy/`.
pub(super) fn policy_digest(
    files: &BundleFiles,
    judged: &Recorded<Judged>,
    entitlement: &str,
    kept: Option<&KeptPolicy>,
) -> Finding<Policy> {
    let policy: BTreeMap<String, Vec<u8>> = files
        .iter()
        .filter_map(|(path, bytes)| {
            Some((path.strip_prefix(layout::POLICY_PREFIX)?.to_owned(), bytes.clone()))
        })
        .collect();
    // The digest leaves the manifest out, so a manifest would be evidence that nothing protects.
    if policy.contains_key(chancery_policy::bundle::MANIFEST) {
        return Finding::fail("`policy/.manifest` is not covered by the policy's digest: leave it out");
    }
    let named = judged.event.policy_sha256;
    // Computed before the files are understood, so that changed ones are called changed and not malformed.
    let listed: Vec<(&str, Sha256)> =
        policy.iter().map(|(path, bytes)| (path.as_str(), Sha256::of(bytes))).collect();
    match Canonical::of(&listed) {
        Ok(listed) if listed.digest() == named => {}
        Ok(listed) => {
            let found = listed.digest();
            return Finding::fail(format!(
                "the files in `policy/` have the digest `{found}`, the log names `{named}`"
            ));
        }
        Err(error) => return Finding::fail(error.to_string()),
    }
    let read = match kept {
        Some(kept) => with_rules(kept, named, policy, entitlement),
        None => Bundle::entitlement_of(&policy, entitlement)
            .map(|entitlement| Policy { entitlement, engine: None }),
    };
    match read {
        Ok(policy) => Finding::pass(policy),
        Err(error) => Finding::fail(error.to_string()),
    }
}

/// `policy` has the digest `sha256`.
fn with_rules(
    kept: &KeptPolicy,
    sha256: Sha256,
    policy: BTreeMap<String, Vec<u8>>,
    entitlement: &str,
) -> Result<Policy, BundleError> {
    if let Some(engine) = kept.of(&sha256) {
        let entitlement = engine.bundle().entitlement(entitlement).cloned();
        return Ok(Policy { entitlement, engine: Some(Ok(engine)) });
    }
    let bundle = Bundle::from_files(policy)?;
    let entitlement = bundle.entitlement(entitlement).cloned();
    let engine = Engine::prepare(bundle).map(Arc::new);
    if let Ok(engine) = &engine {
        kept.keep(engine);
    }
    Ok(Policy { entitlement, engine: Some(engine) })
}

pub(super) fn entitlement_digest(asking: &Asking, policy: &Policy) -> Finding<Entitlement> {
    let named = &asking.document.entitlement;
    match &policy.entitlement {
        None => Finding::fail(format!("the policy has no entitlement `{}`", named.name)),
        Some(entitlement) if entitlement.digest() != named.sha256 => {
            Finding::fail(format!("entitlement `{}` is another one than the request names", named.name))
        }
        Some(entitlement) => Finding::pass(entitlement.clone()),
    }
}

/// A verdict with what it was computed from.
pub(super) struct Verdict {
    pub judged: Recorded<Judged>,
    pub document: VerdictDocument,
    pub bytes: Vec<u8>,
    pub input: Canonical,
    pub disclosures_path: String,
}

/// All verdicts on the current revision, that of the request phase first.
pub(super) fn verdict_digest(
    files: &BundleFiles,
    case: &Case,
    asking: &Asking,
    entitlement: Option<&Entitlement>,
    directories: &Directories,
) -> Finding<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    let mut problems = Vec::new();
    for judged in &case.judged {
        let (verdict_path, input_path, disclosures_path) = paths(judged);
        let said = |problem: String| format!("`{verdict_path}`: {problem}");
        match read(files, judged, &verdict_path, &input_path, disclosures_path) {
            Ok(verdict) => {
                let facts = Facts {
                    verdict: &verdict,
                    asking,
                    entitlement,
                    directory: directories.before(judged.index),
                };
                problems.extend(facts.problems().into_iter().map(said));
                verdicts.push(verdict);
            }
            Err(problem) => problems.push(said(problem)),
        }
    }
    if case.request_phase().is_none() {
        problems.push("no verdict of the request phase stands in the log".to_owned());
    }
    Finding::with(verdicts, problems)
}

fn paths(judged: &Recorded<Judged>) -> (String, String, String) {
    match judged.event.phase {
        Phase::Request => {
            (layout::VERDICT.to_owned(), layout::INPUT.to_owned(), layout::INPUT_DISCLOSURES.to_owned())
        }
        Phase::Approve | Phase::Issue | Phase::Runtime | Phase::Change => {
            let index = judged.index;
            (layout::verdict(index), layout::input(index), layout::input_disclosures(index))
        }
    }
}

fn read(
    files: &BundleFiles,
    judged: &Recorded<Judged>,
    verdict_path: &str,
    input_path: &str,
    disclosures_path: String,
) -> Result<Verdict, String> {
    let bytes = files.get(verdict_path).ok_or("it is missing")?;
    let input = files.get(input_path).ok_or_else(|| format!("`{input_path}` is missing"))?;
    let (found, named) = (Sha256::of(bytes), judged.event.verdict_sha256);
    if found != named {
        return Err(format!("it has the digest `{found}`, the log names `{named}`"));
    }
    let (found, named) = (Sha256::of(input), judged.event.input_sha256);
    if found != named {
        return Err(format!("`{input_path}` has the digest `{found}`, the log names `{named}`"));
    }
    let document =
        Canonical::parse(bytes).and_then(|text| text.decode()).map_err(|error| error.to_string())?;
    let input = Canonical::parse(input).map_err(|error| format!("`{input_path}`: {error}"))?;
    Ok(Verdict { judged: judged.clone(), document, bytes: bytes.clone(), input, disclosures_path })
}

/// A verdict beside what it must be about.
struct Facts<'a> {
    verdict: &'a Verdict,
    asking: &'a Asking,
    entitlement: Option<&'a Entitlement>,
    directory: &'a Directory,
}

impl Facts<'_> {
    fn problems(&self) -> Vec<String> {
        let (logged, document) = (&self.verdict.judged.event, &self.verdict.document);
        let input = self.verdict.input.value();
        let member = |name: &str| input.get(name).cloned().unwrap_or_default();
        let phase = serde_json::to_value(logged.phase).unwrap_or_default();
        let asked = &self.asking.document;
        let checks = [
            ("outcome is another than in the log", document.verdict == logged.outcome),
            ("score is another than in the log", document.risk.score == logged.risk_score),
            ("policy is another than in the log", document.policy_sha256 == logged.policy_sha256),
            ("input is another than in the log", document.input_sha256 == logged.input_sha256),
            ("input is of another phase", member("phase") == phase),
            ("input is about another request", member("request") == self.asking.canonical.value()),
            (
                "input has another entitlement than the policy",
                self.entitlement.is_none_or(|entitlement| member("entitlement") == *entitlement.data()),
            ),
            (
                "input says of the requester what no identity event says",
                self.is_person(&member("requester"), &asked.requester),
            ),
            (
                "input says of the beneficiary what no identity event says",
                self.is_person(&member("beneficiary"), &asked.beneficiary.person),
            ),
            ("input is of another time than its place in the log", self.is_fresh(&member("now"))),
        ];
        checks.into_iter().filter(|(_, holds)| !holds).map(|(problem, _)| format!("its {problem}")).collect()
    }

    /// Roles and attributes are those of signed events; a name may stand beside them, and is concealed.
    fn is_person(&self, said: &Value, id: &PersonId) -> bool {
        let Some(person) = self.directory.person(id) else { return false };
        let roles = said.get("roles").cloned().map(serde_json::from_value::<BTreeSet<String>>);
        let attributes =
            said.get("attributes").cloned().map(serde_json::from_value::<BTreeMap<String, String>>);
        let groups = said.get("groups").and_then(Value::as_array).is_none_or(Vec::is_empty);
        said.get("person").and_then(Value::as_str) == Some(id.as_str())
            && matches!(roles, Some(Ok(roles)) if roles == person.roles)
            && matches!(attributes, Some(Ok(attributes)) if attributes == person.attributes)
            && groups
    }

    fn is_fresh(&self, now: &Value) -> bool {
        let now = now.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let at = self.verdict.judged.at;
        now.is_some_and(|now| now <= at && at.seconds_since(now) <= MAX_AGE_SECONDS)
    }
}

/// Judges again, each verdict that is by the bundle and engine at hand.
pub(super) fn verdict_replay(
    run: &mut Runner,
    files: &BundleFiles,
    engine: Result<Arc<Engine>, BundleError>,
    verdicts: &[Verdict],
    required: bool,
) {
    let engine = match engine {
        Ok(engine) => engine,
        Err(error) => {
            run.record(CheckName::VerdictReplay, Finding::<()>::fail(error.to_string()));
            return;
        }
    };
    let policy_sha256 = engine.bundle().digest();
    let mut problems = Vec::new();
    let mut not_replayable = Vec::new();
    for verdict in verdicts {
        let phase = serde_json::to_value(verdict.judged.event.phase).unwrap_or_default();
        let name =
            format!("verdict at leaf {} ({})", verdict.judged.index, phase.as_str().unwrap_or_default());
        if verdict.document.engine != engine_version() {
            not_replayable.push(format!(
                "{name}: by engine `{}`, this is `{}`",
                verdict.document.engine,
                engine_version()
            ));
            continue;
        }
        if verdict.document.policy_sha256 != policy_sha256 {
            not_replayable.push(format!("{name}: by a policy bundle that is not in here"));
            continue;
        }
        match replayed(files, &engine, verdict) {
            Ok(Replay::Same) => {}
            Ok(Replay::Different { pointers, .. }) => {
                problems.push(format!("{name}: another verdict comes out, in {}", pointers.join(", ")));
            }
            Ok(Replay::NotReplayable { missing }) => {
                let places = missing.iter().map(|at| if at.is_empty() { "/" } else { at.as_str() });
                not_replayable.push(format!(
                    "{name}: not replayable, redacted in {}",
                    places.collect::<Vec<_>>().join(", ")
                ));
            }
            Err(problem) => problems.push(format!("{name}: {problem}")),
        }
    }
    if required {
        problems.append(&mut not_replayable);
    }
    if problems.is_empty() && !not_replayable.is_empty() {
        run.skip(CheckName::VerdictReplay, not_replayable.join("; "));
    } else {
        run.record(CheckName::VerdictReplay, Finding::of(problems));
    }
}

fn replayed(files: &BundleFiles, engine: &Engine, verdict: &Verdict) -> Result<Replay, String> {
    let disclosures: Vec<Disclosure> = match files.get(&verdict.disclosures_path) {
        Some(bytes) => disclosures::read(bytes)?,
        None => Vec::new(),
    };
    replay_with(engine, &verdict.input, &disclosures, &verdict.bytes).map_err(|error| error.to_string())
}
