//! Pages, whether or not the console was built into the program.

use crate::world::{Answer, World};

fn get(world: &World, path: &str, accept: &str) -> Answer {
    world.send("GET", path, &[("accept", accept)], None)
}

fn is_console(answer: &Answer) -> bool {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    policy.contains("trusted-types default")
}

#[test]
fn the_front_page_is_the_console_or_says_how_to_build_it() {
    let world = World::new();
    let home = get(&world, "/", "*/*");
    assert_eq!(home.status, 200);
    assert_eq!(home.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(home.header("cache-control"), Some("no-store"));
    let text = String::from_utf8(home.bytes.clone()).unwrap();
    let policy = home.header("content-security-policy").unwrap().to_owned();
    if is_console(&home) {
        assert!(!text.contains("__CSP_NONCE__"));
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(nonce.len() == 24 && text.contains(nonce));
        let again = get(&world, "/", "text/html");
        assert_ne!(again.header("content-security-policy").unwrap(), policy, "a nonce is fresh");
    } else {
        assert!(text.contains("make build") && text.contains("/sign"), "{text}");
        assert!(policy.starts_with("default-src 'none'; script-src 'none'"), "{policy}");
    }
    let head = world.send("HEAD", "/", &[], None);
    assert_eq!((head.status, head.bytes.len()), (200, 0));
}

#[test]
fn a_page_of_the_console_is_asked_for_by_name() {
    let world = World::new();
    let built = is_console(&get(&world, "/", "*/*"));
    for path in ["/inbox", "/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/assetsx", "/new?entitlement=x", "/apis"]
    {
        let page = get(&world, path, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        assert_eq!(page.status, if built { 200 } else { 404 }, "{path}");
        assert_eq!(is_console(&page), built);
        get(&world, path, "*/*").refused("route_unknown");
        get(&world, path, "application/json").refused("route_unknown");
    }
    for path in ["/api", "/api/v1/nothing", "/api/v2/requests", "/log", "/log/nothing", "/assets"] {
        get(&world, path, "text/html").refused("route_unknown");
    }
    let posted = world.send("POST", "/inbox", &[("accept", "text/html")], Some(Vec::new()));
    posted.refused("route_unknown");
    world.send("POST", "/", &[], Some(Vec::new())).refused("method_unknown");
    world.send("POST", "/assets/x.js", &[], Some(Vec::new())).refused("method_unknown");
}

#[test]
fn an_asset_is_one_that_was_embedded() {
    let world = World::new();
    for path in [
        "/assets/missing.js",
        "/assets/../index.html",
        "/assets/..%2findex.html",
        "/assets/%2e%2e/%2e%2e/chancery.toml",
        "/assets//etc/passwd",
        "/assets/index.html%00.js",
    ] {
        let answer = get(&world, path, "*/*");
        assert!(answer.status == 404 || answer.status == 400, "{path}: {}", answer.status);
        assert!(answer.header("content-type").unwrap().starts_with("application/problem+json"), "{path}");
    }
}

#[test]
fn the_plain_page_stands_beside_it() {
    let world = World::new();
    for path in ["/sign", "/enrol", "/sign-in", "/people", "/review/01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
        let page = get(&world, path, "*/*");
        assert_eq!(page.status, 200);
        assert!(page.header("content-security-policy").unwrap().contains("trusted-types 'none'"), "{path}");
    }
}
