//! What somebody would try who wants more than is theirs. Each test is one attack, with the reason it must fail.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]

#[path = "../world/mod.rs"]
mod world;

mod bytes;
mod decisions;
mod open;
mod people;
mod reading;
mod recovery;
mod requests;
mod sessions;

use chancery_canonical::Canonical;
use serde_json::{Value, json};
use world::{Answer, Person, World};

/// An engineer who asks, one who attacks, an approver, and the two who let people in.
struct Cast {
    world: World,
    erin: Person,
    mallory: Person,
    olga: Person,
    ada: Person,
    ben: Person,
}

fn cast() -> Cast {
    let (world, mut ada, mut ben) = World::sealed();
    let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mallory = world.admit("Mallory", &["engineer"], &mut ada, &mut ben);
    let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    Cast { world, erin, mallory, olga, ada, ben }
}

/// Refused, and nothing was written.
#[track_caller]
fn fails(world: &World, size: u64, answer: &Answer, code: &str) {
    answer.refused(code);
    assert_eq!(world.log_size(), size, "{code}: something was written");
}

/// The document with one member changed.
fn altered(document: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(document).unwrap();
    change(&mut value);
    Canonical::of(&value).unwrap().as_str().to_owned()
}

/// A value of the same sort that is another one.
fn another(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("20") => json!(text.replacen("20", "21", 1)),
        Value::String(text) if text.ends_with('A') => json!(format!("{}B", text.trim_end_matches('A'))),
        Value::String(text) => json!(format!("{}A", text.get(1..).unwrap_or_default())),
        Value::Number(number) => json!(number.as_u64().unwrap_or_default().saturating_add(1)),
        Value::Bool(bit) => json!(!bit),
        Value::Null => json!("x"),
        Value::Array(items) => json!(items.iter().map(another).chain([json!("more")]).collect::<Vec<_>>()),
        Value::Object(members) => {
            json!(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), another(value)))
                    .collect::<serde_json::Map<_, _>>()
            )
        }
    }
}
