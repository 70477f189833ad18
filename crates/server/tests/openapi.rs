//! The description in docs/spec is the one that the code makes, and names every route.

use std::path::Path;

use serde_json::Value;

/// `CHANCERY_WRITE_OPENAPI=1 cargo test -p chancery-server --test openapi` writes it anew.
#[test]
fn the_committed_description_is_the_one_that_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/openapi.json");
    let made = format!("{}\n", chancery_server::openapi().to_pretty_json().unwrap());
    if std::env::var_os("CHANCERY_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "docs/spec/openapi.json drifted: see this test's comment");
}

#[test]
fn every_route_is_described_with_its_problem() {
    let description: Value = serde_json::from_str(&chancery_server::openapi().to_json().unwrap()).unwrap();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let routes = chancery_server::listed();
    assert!(routes.len() > 40);
    for (method, path) in routes {
        let operation = &description["paths"][path.replace("{*", "{")][method];
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        // With a `default` nothing would be undocumented.
        assert!(responses.contains_key("500") && !responses.contains_key("default"), "{method} {path}");
        for (status, response) in responses {
            let refusal = response["$ref"] == "#/components/responses/Problem";
            assert_eq!(refusal, status.parse::<u16>().unwrap() >= 400, "{method} {path} {status}");
        }
    }
    let problem = &description["components"]["responses"]["Problem"]["content"]["application/problem+json"];
    assert!(problem.is_object());
    for reference in references(&description) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "`{reference}` is named and not there");
    }
}

/// docs/spec/http.md says how the parts fit; a route that it names must be there.
#[test]
fn the_page_on_http_names_routes_that_exist() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/http.md");
    let page = std::fs::read_to_string(page).unwrap();
    let routes = chancery_server::listed();
    let mut named = 0;
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cell = line.trim_start_matches("| `").split('`').next().unwrap();
        let Some((method, path)) = cell.split_once(' ') else { continue };
        let path = path.split('?').next().unwrap().trim_end_matches('…');
        if !path.starts_with("/api/v1/") {
            continue;
        }
        named += 1;
        let known = routes.iter().any(|(known, route)| known.to_uppercase() == method && *route == path);
        assert!(known, "{method} {path}");
    }
    assert!(named > 25, "{named}");
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("$ref", Value::String(reference)) => vec![reference.clone()],
                (_, value) => references(value),
            })
            .collect(),
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
