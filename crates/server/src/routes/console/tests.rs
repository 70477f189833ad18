//! Files as readers ask for them, and the policy of the pages.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{FILES, FOREVER, File, INDEX, NONCE, PLACEHOLDER, answer, find, media_type, policy};

static TWO: [File; 2] = [
    File { path: "assets/a-1.js", bytes: b"let a = 1;", brotli: Some(b"br") },
    File { path: "index.html", bytes: b"<p>", brotli: None },
];

fn asking(name: HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
}

#[test]
fn a_path_is_taken_as_it_is_or_not_at_all() {
    for (path, there) in [
        ("assets/a-1.js", true),
        ("assets/../assets/a-1.js", false),
        ("assets//a-1.js", false),
        ("/assets/a-1.js", false),
        ("assets/A-1.js", false),
        ("assets/a-1.js\0", false),
        ("../../etc/passwd", false),
        ("assets", false),
        ("", false),
    ] {
        assert_eq!(find(&TWO, path).is_some(), there, "{path:?}");
    }
    assert!(FILES.windows(2).all(|pair| pair[0].path < pair[1].path), "found by halves");
    assert!(FILES.iter().all(|file| !file.path.split('/').any(|part| part.starts_with('.'))));
}

#[test]
fn brotli_is_for_those_who_take_it() {
    for (accepted, compressed) in [
        ("br", true),
        ("gzip, deflate, br;q=0.5", true),
        ("BR", true),
        ("gzip", false),
        ("br;q=0", false),
        ("brotli", false),
        ("", false),
    ] {
        let response = answer(&TWO[0], &asking(header::ACCEPT_ENCODING, accepted), FOREVER);
        assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), compressed, "{accepted}");
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    }
    let plain = answer(&TWO[1], &asking(header::ACCEPT_ENCODING, "br"), FOREVER);
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
}

#[test]
fn what_the_reader_has_is_not_sent_again() {
    let tag =
        answer(&TWO[0], &HeaderMap::new(), FOREVER).headers()[header::ETAG].to_str().unwrap().to_owned();
    for (known, same) in [
        (tag.clone(), true),
        (format!("W/{tag}"), true),
        (format!("\"x\", {tag}"), true),
        ("*".to_owned(), true),
        (tag.trim_matches('"').to_owned(), false),
        ("\"x\"".to_owned(), false),
    ] {
        let response = answer(&TWO[0], &asking(header::IF_NONE_MATCH, &known), FOREVER);
        assert_eq!(response.status() == StatusCode::NOT_MODIFIED, same, "{known}");
        assert_eq!(response.headers()[header::ETAG].to_str().unwrap(), tag);
        assert_eq!(response.headers()[header::CACHE_CONTROL], FOREVER);
    }
    // In another coding it is another representation.
    let brotli = answer(&TWO[0], &asking(header::ACCEPT_ENCODING, "br"), FOREVER);
    assert_ne!(brotli.headers()[header::ETAG].to_str().unwrap(), tag);
}

#[test]
fn a_page_runs_its_own_scripts_only() {
    assert_eq!(
        policy("N"),
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-N'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types default"
    );
    assert!(PLACEHOLDER.contains("href=\"/sign\"") && !PLACEHOLDER.contains("<script"));
    if let Some(index) = find(FILES, INDEX) {
        assert!(std::str::from_utf8(index.bytes).unwrap().contains(NONCE));
    }
}

#[test]
fn a_file_says_what_it_is() {
    for (path, kind) in [
        ("a.css", "text/css; charset=utf-8"),
        ("a.b.svg", "image/svg+xml"),
        ("a", "application/octet-stream"),
    ] {
        assert_eq!(media_type(path), kind);
    }
}
