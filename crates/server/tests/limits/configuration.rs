//! The limits themselves: documented, within bounds, consistent.

use chancery_server::{Config, Limits};

use crate::world::World;

const SPECIFICATION: &str = include_str!("../../../../docs/spec/limits.md");

fn number(text: &str) -> u64 {
    let plain: String = text.chars().filter(char::is_ascii_digit).collect();
    plain.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

#[test]
fn every_limit_is_documented_with_its_default_and_its_bounds() {
    let rows: Vec<Vec<&str>> = SPECIFICATION
        .lines()
        .filter(|line| line.starts_with("| `limits."))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let documented: Vec<(String, u64, u64, u64)> = rows
        .iter()
        .map(|row| {
            let (smallest, largest) = row[2].split_once('–').unwrap();
            (row[0].trim_matches('`').to_owned(), number(row[1]), number(smallest), number(largest))
        })
        .collect();
    let listed = Limits::default().listed();
    let listed: Vec<_> = listed.map(|(name, value, low, high)| (name.to_owned(), value, low, high)).into();
    assert_eq!(documented, listed, "docs/spec/limits.md");
    let toml = Config::new("http://localhost:1".to_owned(), "127.0.0.1:1".parse().unwrap(), "l".to_owned());
    let toml = toml.to_toml();
    let limits = toml.split("[limits]").nth(1).unwrap().split("\n[").next().unwrap();
    assert_eq!(limits.lines().filter(|line| line.contains(" = ")).count(), listed.len(), "{limits}");
}

#[test]
fn nonsense_is_refused_by_name() {
    let world = World::new();
    let path = world.data().join("chancery.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    let check = |name: &str, value: u64, key: &str| {
        let line = good.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
        std::fs::write(&path, good.replace(&format!("\n{line}\n"), &format!("\n{name} = {value}\n")))
            .unwrap();
        let error = Config::read_from(&world.data()).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}`")), "{name} = {value}: {error}");
    };
    for (key, _, smallest, largest) in Limits::default().listed() {
        let name = key.trim_start_matches("limits.");
        check(name, smallest - 1, key);
        check(name, largest + 1, key);
    }
    check("event_streams", 1024, "limits.event_streams");
    check("artifact_bytes_per_person", 1024, "limits.artifact_bytes_per_person");
    // A limit that an older file does not know has its default.
    let older: String = good.lines().filter(|line| !line.starts_with("requests_at_once")).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    );
    std::fs::write(&path, older).unwrap();
    assert_eq!(Config::read_from(&world.data()).unwrap().limits, Limits::default());
}
