//! What the modules of a bundle define, refer to and call, read from their syntax trees before anything runs.

mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;

use chancery_canonical::json::{Map, Value};

use super::builtins::is_offered;
use super::nesting::{self, Nesting};
use super::{BundleError, Settings, source};

use walk::{Definition, ModuleFacts};

/// The sets that the host reads from every root.
pub const SETS: [&str; 8] =
    ["alert", "allow", "constraint", "deny", "obligation", "risk", "stage", "violation"];

/// How deep rules may lead into each other, in about a KiB of stack each: half of the smallest stack that they are
/// evaluated on. The default bundle comes to 67.
const MAX_RULE_DEPTH: u64 = 1000;

/// A set that a root contributes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contribution {
    /// The package.
    pub root: String,
    /// One of [`SETS`].
    pub set: &'static str,
}

/// Where something that a verdict names comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// `rule`, `factor`, `stage` or `obligation`.
    pub part: &'static str,
    /// Its name in the verdict.
    pub name: String,
    /// Path of the module.
    pub file: String,
    /// Line in it, 1 for the first.
    pub line: u32,
}

/// In which sets the elements have names that verdicts repeat: the part of the verdict, and the member that names it.
const NAMED: [(&str, &str, &str); 5] = [
    ("allow", "rule", "rule"),
    ("deny", "rule", "rule"),
    ("obligation", "obligation", ""),
    ("risk", "factor", "factor"),
    ("stage", "stage", "id"),
];

/// What is known of the rules once everything was checked.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Which root contributes to which set.
    pub contributions: BTreeSet<Contribution>,
    /// Paths of `test_…` rules, with their files.
    pub tests: BTreeMap<String, String>,
    /// Where the parts of verdicts come from that the modules name outright.
    pub sources: BTreeSet<Source>,
}

/// All modules, and the data they may refer to.
pub struct Scan<'a> {
    modules: Vec<ModuleFacts>,
    judging: Parsed,
    data: &'a Map<String, Value>,
}

/// The judging modules as the engine parsed them, so that they are parsed once.
#[derive(Clone)]
pub struct Parsed(regorus::Engine);

impl Parsed {
    /// An engine that holds the judging modules and nothing else.
    pub fn engine(&self) -> regorus::Engine {
        self.0.clone()
    }
}

impl fmt::Debug for Parsed {
    // Syntax trees say nothing that the modules' texts do not.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Parsed")
    }
}

impl<'a> Scan<'a> {
    /// Parses every module.
    pub fn of(files: &BTreeMap<String, Vec<u8>>, data: &'a Map<String, Value>) -> Result<Self, BundleError> {
        let (mut judging, mut tests) = (regorus::Engine::new(), regorus::Engine::new());
        let (mut modules, mut work) = (Vec::new(), 0_u64);
        for (path, text) in source::modules(files) {
            let nesting = Nesting::of(text);
            work = work.saturating_add(nesting.work);
            let cause = if work > nesting::MAX_WORK {
                Some("its brackets stand too deep inside each other: give the inner ones a rule of their own")
            } else if nesting.chain > nesting::MAX_CHAIN {
                Some("it has too many operators in one expression: give parts of it a rule of their own")
            } else {
                None
            };
            if let Some(cause) = cause {
                return Err(BundleError::Rego { file: path.to_owned(), cause: cause.to_owned() });
            }
            let engine = if source::is_test(path) { &mut tests } else { &mut judging };
            modules.push(walk::read_module(engine, path, text)?);
        }
        Ok(Self { modules, judging: Parsed(judging), data })
    }

    /// Checks packages, sets, references, builtins and circles.
    pub fn check(self, settings: &Settings) -> Result<(Rules, Parsed), BundleError> {
        let mut rules = Rules::default();
        for module in &self.modules {
            check_package(module)?;
            for definition in &module.definitions {
                self.note(module, definition, settings, &mut rules)?;
            }
        }
        // Judging modules see only each other; tests see everything.
        let judging = self.paths(false);
        let all = self.paths(true);
        for module in &self.modules {
            let known = if module.is_test { &all } else { &judging };
            self.check_references(module, known)?;
        }
        self.check_depths(&judging)?;
        Ok((rules, self.judging))
    }

    fn note(
        &self,
        module: &ModuleFacts,
        definition: &Definition,
        settings: &Settings,
        rules: &mut Rules,
    ) -> Result<(), BundleError> {
        let Some(name) = definition.path.get(module.package.len()) else {
            return Ok(());
        };
        let (file, package) = (module.file.clone(), module.package.join("."));
        if module.is_test {
            if name.starts_with("test_") {
                rules.tests.insert(format!("data.{}", definition.path.join(".")), file);
            }
            return Ok(());
        }
        let Some(set) = SETS.into_iter().find(|set| set == name) else {
            return Ok(());
        };
        if !definition.is_set {
            return Err(BundleError::NotASet { file, line: definition.line, set: set.to_owned() });
        }
        if !settings.roots.contains_key(&package) {
            return Err(BundleError::UnnamedRoot { file, package, set: set.to_owned() });
        }
        let named = NAMED.into_iter().find(|(of, _, _)| *of == set);
        if let Some((part, name)) =
            named.and_then(|(_, part, by)| Some((part, definition.constants.get(by)?)))
        {
            rules.sources.insert(Source { part, name: name.clone(), file, line: definition.line });
        }
        rules.contributions.insert(Contribution { root: package, set });
        Ok(())
    }

    fn paths(&self, with_tests: bool) -> BTreeSet<&[String]> {
        let modules = self.modules.iter().filter(|module| with_tests || !module.is_test);
        modules.flat_map(|module| &module.definitions).map(|definition| definition.path.as_slice()).collect()
    }

    fn check_references(&self, module: &ModuleFacts, known: &BTreeSet<&[String]>) -> Result<(), BundleError> {
        let file = module.file.clone();
        for reference in
            module.definitions.iter().flat_map(|definition| &definition.references).chain(&module.imports)
        {
            let path = reference.path.as_slice();
            // A module may import its library whole, or a package that only other files fill.
            let defined = meant(known, path).next().is_some();
            if !defined && !is_data(self.data, path) {
                let reference_text = reference.path.join(".");
                return Err(BundleError::UnknownReference {
                    file,
                    line: reference.line,
                    reference: reference_text,
                });
            }
        }
        for call in module.definitions.iter().flat_map(|definition| &definition.calls) {
            let local: Vec<String> = module.package.iter().chain(&call.path).cloned().collect();
            if !known.contains(local.as_slice()) && !is_offered(&call.path.join(".")) {
                return Err(BundleError::Builtin { file, line: call.line, builtin: call.path.join(".") });
            }
        }
        Ok(())
    }

    /// Refuses rules that lead back to themselves, which the engine sees only when it is already going round, and
    /// rules that lead so deep into others that its stack would overflow.
    fn check_depths(&self, known: &BTreeSet<&[String]>) -> Result<(), BundleError> {
        let mut rules: BTreeMap<&[String], (u64, BTreeSet<&[String]>)> = BTreeMap::new();
        for module in self.modules.iter().filter(|module| !module.is_test) {
            for definition in &module.definitions {
                let (own, targets) = rules.entry(&definition.path).or_default();
                *own = definition.depth.max(*own);
                let local = |path: &[String]| module.package.iter().chain(path).cloned().collect::<Vec<_>>();
                let references = definition.references.iter().map(|reference| reference.path.clone());
                let unqualified =
                    definition.calls.iter().chain(&definition.variables).map(|name| local(&name.path));
                for path in references.chain(unqualified) {
                    targets.extend(meant(known, &path));
                }
            }
        }
        // Each round settles the rules that lead only to settled ones, until nothing is left or only circles are. A
        // round goes at least one rule deeper, so that there are few before it is too deep.
        let mut settled: BTreeMap<&[String], u64> = BTreeMap::new();
        loop {
            let mut round = Vec::new();
            for (rule, (own, targets)) in &rules {
                let depths: Option<Vec<u64>> =
                    targets.iter().map(|target| settled.get(target).copied()).collect();
                let Some(depths) = depths else { continue };
                let depth = own.saturating_add(depths.into_iter().max().unwrap_or(0));
                if depth > MAX_RULE_DEPTH {
                    return Err(BundleError::TooDeep { rule: rule.join(".") });
                }
                round.push((*rule, depth));
            }
            if round.is_empty() {
                break;
            }
            settled.extend(round);
            rules.retain(|rule, _| !settled.contains_key(rule));
        }
        match rules.keys().next() {
            Some(rule) => Err(BundleError::Recursion { rule: rule.join(".") }),
            None => Ok(()),
        }
    }
}

/// The rules that a path names: those at it and below it, and those of which it names a part.
fn meant<'a>(known: &BTreeSet<&'a [String]>, path: &[String]) -> impl Iterator<Item = &'a [String]> {
    let below = known.range::<[String], _>((Bound::Included(path), Bound::Unbounded));
    let below = below.take_while(|rule| rule.starts_with(path));
    let above = (0..path.len()).filter_map(|length| known.get(path.get(..length)?));
    below.chain(above).copied().collect::<Vec<_>>().into_iter()
}

fn check_package(module: &ModuleFacts) -> Result<(), BundleError> {
    if module.package.first().is_some_and(|first| first == "chancery") {
        return Ok(());
    }
    Err(BundleError::Package { file: module.file.clone(), package: module.package.join(".") })
}

/// Whether data stands at the path, or would below something that is not an object.
fn is_data(data: &Map<String, Value>, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return false;
    };
    let mut place = data.get(first);
    for part in rest {
        match place {
            Some(Value::Object(members)) => place = members.get(part),
            Some(Value::Array(_)) => return part.parse::<usize>().is_ok(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => return false,
        }
    }
    place.is_some()
}
