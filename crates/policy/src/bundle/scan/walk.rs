//! One module's syntax tree, read for names. Every kind of expression is named here, so that a new one in the
//! engine breaks the build instead of passing unseen.

use std::collections::BTreeMap;

use regorus::Engine;
use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleAssign, RuleBody, RuleHead};

use super::super::{BundleError, source};

/// The most that is said of what the engine says.
const MAX_CAUSE_CHARACTERS: usize = 1000;

/// A constant path, and where it stands.
#[derive(Clone, Debug)]
pub struct Named {
    pub path: Vec<String>,
    pub line: u32,
}

/// One rule.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// Package and name, as far as it is constant.
    pub path: Vec<String>,
    pub line: u32,
    /// Whether it is written `name contains …`.
    pub is_set: bool,
    /// What the element of a set says outright: its constant members, or by an empty name the constant itself.
    pub constants: BTreeMap<String, String>,
    /// What it refers to under `data`.
    pub references: Vec<Named>,
    /// What it calls that is neither imported nor under `data`: functions of its package, and builtins.
    pub calls: Vec<Named>,
    /// Unqualified names: rules of its package, or variables.
    pub variables: Vec<Named>,
    /// How deep the evaluation goes into it, in about a KiB of stack each.
    pub depth: u64,
    /// Where the walk stands, in the same measure.
    level: u64,
}

/// What the evaluation of a rule, of a query inside it, and of a statement inside that take of the stack, in the measure
/// of [`Definition::depth`]. A statement goes on inside the ones before it.
const RULE: u64 = 4;
const QUERY: u64 = 4;
const STATEMENT: u64 = 2;

impl Definition {
    /// What is done at a deeper level.
    fn inside(&mut self, levels: u64, walk: impl FnOnce(&mut Self)) {
        self.level = self.level.saturating_add(levels);
        self.depth = self.depth.max(self.level);
        walk(self);
        self.level = self.level.saturating_sub(levels);
    }
}

/// One module.
#[derive(Debug)]
pub struct ModuleFacts {
    pub file: String,
    pub is_test: bool,
    pub package: Vec<String>,
    pub imports: Vec<Named>,
    pub definitions: Vec<Definition>,
}

/// Adds a module to the engine, which parses it, and reads it.
pub fn read_module(engine: &mut Engine, path: &str, text: &str) -> Result<ModuleFacts, BundleError> {
    let refused = |cause: String| BundleError::Rego { file: path.to_owned(), cause };
    // The engine repeats the line, which may be the whole file.
    let said = |cause: String| refused(cause.chars().take(MAX_CAUSE_CHARACTERS).collect());
    engine.add_policy(path.to_owned(), text.to_owned()).map_err(|cause| said(cause.to_string()))?;
    let Some(module) = engine.get_modules().last() else {
        return Err(refused("it is empty".to_owned()));
    };
    Ok(facts(path, module))
}

fn facts(path: &str, module: &Module) -> ModuleFacts {
    let package = constant_path(&module.package.refr).0;
    let mut imports = Vec::new();
    let mut aliases = BTreeMap::new();
    for import in &module.imports {
        let full = constant_path(&import.refr).0;
        if full.first().is_some_and(|root| root == "data") {
            let under_data: Vec<String> = full.iter().skip(1).cloned().collect();
            let alias =
                import.r#as.as_ref().map(|span| span.text().to_owned()).or_else(|| full.last().cloned());
            aliases.extend(alias.map(|alias| (alias, under_data.clone())));
            imports.push(Named { path: under_data, line: import.span.line });
        }
    }
    let walker = Walker { package: &package, aliases: &aliases };
    let definitions = module.policy.iter().map(|rule| walker.rule(rule)).collect();
    ModuleFacts { file: path.to_owned(), is_test: source::is_test(path), package, imports, definitions }
}

/// The leading constant components of a reference, and the index expressions that are none.
fn constant_path(expression: &Ref<Expr>) -> (Vec<String>, Vec<Ref<Expr>>) {
    let mut reversed: Vec<Result<String, Ref<Expr>>> = Vec::new();
    let mut place = expression.clone();
    loop {
        let next = match place.as_ref() {
            Expr::RefDot { refr, field, .. } => {
                reversed.push(Ok(field.0.text().to_owned()));
                refr.clone()
            }
            Expr::RefBrack { refr, index, .. } => {
                reversed.push(constant_text(index).ok_or_else(|| index.clone()));
                refr.clone()
            }
            Expr::Var { span, .. } => {
                reversed.push(Ok(span.text().to_owned()));
                break;
            }
            _ => {
                // Something computed, such as a call, with a path behind it.
                reversed.push(Err(place.clone()));
                break;
            }
        };
        place = next;
    }
    let mut path = Vec::new();
    let mut computed = Vec::new();
    for part in reversed.into_iter().rev() {
        match part {
            Ok(name) if computed.is_empty() => path.push(name),
            Ok(_) => {}
            Err(expression) => computed.push(expression),
        }
    }
    (path, computed)
}

fn constant_text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            value.as_string().ok().map(|text| text.to_string())
        }
        _ => None,
    }
}

fn constants(element: &Expr) -> BTreeMap<String, String> {
    match element {
        Expr::Object { fields, .. } => {
            let named = |(_, name, value): &(_, Ref<Expr>, Ref<Expr>)| {
                Some((constant_text(name)?, constant_text(value)?))
            };
            fields.iter().filter_map(named).collect()
        }
        other => constant_text(other).map(|text| (String::new(), text)).into_iter().collect(),
    }
}

struct Walker<'a> {
    package: &'a [String],
    aliases: &'a BTreeMap<String, Vec<String>>,
}

impl Walker<'_> {
    fn rule(&self, rule: &Rule) -> Definition {
        let mut found =
            Definition { line: rule.span().line, depth: RULE, level: RULE, ..Definition::default() };
        let name = match rule {
            Rule::Spec { head, bodies, .. } => {
                for body in bodies {
                    self.body(body, &mut found);
                }
                self.head(head, &mut found)
            }
            Rule::Default { refr, value, .. } => {
                self.expression(value, &mut found);
                refr
            }
        };
        let (name, computed) = constant_path(name);
        found.path = self.package.iter().cloned().chain(name).collect();
        for expression in computed {
            self.expression(&expression, &mut found);
        }
        found
    }

    fn head<'h>(&self, head: &'h RuleHead, found: &mut Definition) -> &'h Ref<Expr> {
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                self.assign(assign.as_ref(), found);
                refr
            }
            RuleHead::Set { refr, key, .. } => {
                found.is_set = key.is_some() && matches!(refr.as_ref(), Expr::Var { .. });
                found.constants = key.as_ref().map(|key| constants(key)).unwrap_or_default();
                self.optional(key.as_ref(), found);
                refr
            }
            RuleHead::Func { refr, args, assign, .. } => {
                self.all(args, found);
                self.assign(assign.as_ref(), found);
                refr
            }
        }
    }

    fn body(&self, body: &RuleBody, found: &mut Definition) {
        self.assign(body.assign.as_ref(), found);
        self.query(&body.query, found);
    }

    fn assign(&self, assign: Option<&RuleAssign>, found: &mut Definition) {
        if let Some(assign) = assign {
            self.expression(&assign.value, found);
        }
    }

    fn query(&self, query: &Query, found: &mut Definition) {
        let statements = u64::try_from(query.stmts.len()).unwrap_or(u64::MAX);
        let levels = QUERY.saturating_add(statements.saturating_mul(STATEMENT));
        found.inside(levels, |found| self.statements(query, found));
    }

    fn statements(&self, query: &Query, found: &mut Definition) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    self.optional(key.as_ref(), found);
                    self.expression(value, found);
                    self.expression(collection, found);
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expression(expr, found),
                Literal::Every { domain, query, .. } => {
                    self.expression(domain, found);
                    self.query(query, found);
                }
            }
            for with in &statement.with_mods {
                self.expression(&with.refr, found);
                self.expression(&with.r#as, found);
            }
        }
    }

    fn optional(&self, expression: Option<&Ref<Expr>>, found: &mut Definition) {
        if let Some(expression) = expression {
            self.expression(expression, found);
        }
    }

    fn all(&self, expressions: &[Ref<Expr>], found: &mut Definition) {
        for expression in expressions {
            self.expression(expression, found);
        }
    }

    fn expression(&self, expression: &Ref<Expr>, found: &mut Definition) {
        found.inside(1, |found| self.parts(expression, found));
    }

    fn parts(&self, expression: &Ref<Expr>, found: &mut Definition) {
        match expression.as_ref() {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => {}
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.reference(expression, found, false)
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => self.all(items, found),
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.expression(key, found);
                    self.expression(value, found);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expression(term, found);
                self.query(query, found);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expression(key, found);
                self.expression(value, found);
                self.query(query, found);
            }
            Expr::Call { fcn, params, .. } => {
                self.reference(fcn, found, true);
                self.all(params, found);
            }
            Expr::UnaryExpr { expr, .. } => self.expression(expr, found),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.expression(lhs, found);
                self.expression(rhs, found);
            }
            Expr::Membership { key, value, collection, .. } => {
                self.optional(key.as_ref(), found);
                self.expression(value, found);
                self.expression(collection, found);
            }
        }
    }

    fn reference(&self, expression: &Ref<Expr>, found: &mut Definition, is_call: bool) {
        let line = expression.span().line;
        let (path, computed) = constant_path(expression);
        for inner in &computed {
            // A reference that is computed from its very start stands in the list as itself only when it is
            // of another kind, so this does not go round.
            self.expression(inner, found);
        }
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        if first == "data" {
            found.references.push(Named { path: rest.to_vec(), line });
        } else if let Some(imported) = self.aliases.get(first) {
            found.references.push(Named { path: imported.iter().chain(rest).cloned().collect(), line });
        } else if is_call {
            found.calls.push(Named { path, line });
        } else if first != "input" {
            found.variables.push(Named { path: vec![first.clone()], line });
        }
    }
}
