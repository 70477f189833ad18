//! Every answer that a test gets is held against the description of the interface: its status must stand there, and
//! a refusal must be a problem.

use std::sync::OnceLock;

use serde_json::Value;

use super::Answer;

fn description() -> &'static Value {
    static MADE: OnceLock<Value> = OnceLock::new();
    MADE.get_or_init(|| serde_json::from_str(&chancery_server::openapi().to_json().unwrap()).unwrap())
}

/// The responses of the operation that answers this; none for pages and for what is no route.
fn responses(method: &str, target: &str) -> Option<&'static Value> {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let paths = description()["paths"].as_object().unwrap();
    // A path without names wins over one with some, as in the router.
    let mut fitting: Vec<_> = paths.iter().filter(|(template, _)| fits(template, path)).collect();
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    fitting.first().and_then(|(_, item)| item.get(method.to_lowercase())?.get("responses"))
}

fn fits(template: &str, path: &str) -> bool {
    let (mut names, mut parts) = (template.split('/'), path.split('/'));
    loop {
        match (names.next(), parts.next()) {
            (None, None) => return true,
            (Some("{path}"), Some(_)) => return true,
            (Some(name), Some(part)) if name == part || (name.starts_with('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
}

/// Fails for an answer that the description does not know.
#[track_caller]
pub fn check(method: &str, target: &str, answer: &Answer) {
    let Some(responses) = responses(method, target) else { return };
    let status = answer.status.to_string();
    assert!(
        responses.get(&status).is_some(),
        "{method} {target} answers {status} ({}), which its line in `routes.rs` does not say: `.also(&[{status}])`",
        answer.code()
    );
    if answer.status >= 400 {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{method} {target}");
    }
}
