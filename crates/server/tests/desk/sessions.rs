//! The sessions of a person, for that person.

use crate::{Cast, cast};
use serde_json::json;

#[test]
fn sessions_are_listed_and_ended_by_their_own() {
    let Cast { world, mut erin, fred, .. } = cast();
    let cookie = erin.clone();
    world.log_in(&mut erin);
    let list = world.call(&erin, "GET", "/api/v1/sessions", None).good();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let current: Vec<_> = items.iter().filter(|item| item["current"] == json!(true)).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["session"], json!("session_key"));
    assert!(
        items.iter().all(|item| item["started_at"].is_string() && item["credential_id_sha256"].is_string())
    );
    let other = items.iter().find(|item| item["current"] == json!(false)).unwrap()["id"].as_str().unwrap();
    let path = format!("/api/v1/sessions/{other}");
    // Nobody else's, and nothing that is none.
    world.call(&fred, "DELETE", &path, None).refused("not_found");
    for id in ["0", "current2", "..%2fcurrent", &format!("{other}0"), "%25"] {
        world.call(&erin, "DELETE", &format!("/api/v1/sessions/{id}"), None).refused("not_found");
    }
    world.call(&cookie, "GET", "/api/v1/whoami", None).good();
    assert_eq!(world.call(&erin, "DELETE", &path, None).status, 204);
    world.call(&cookie, "GET", "/api/v1/whoami", None).refused("session_unknown");
    world.call(&erin, "DELETE", &path, None).refused("not_found");
    assert_eq!(
        world.call(&erin, "GET", "/api/v1/sessions", None).good()["items"].as_array().unwrap().len(),
        1
    );
    // The token itself is not what it is ended by, and does not stand in the list.
    let crate::world::Session::Token { token, .. } = &erin.session else { panic!("bound to a key") };
    assert!(!list.to_string().contains(token));
}
