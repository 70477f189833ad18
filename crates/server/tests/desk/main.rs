//! What the console is made of: lists, what a request tells, digits, alerts, sessions, and the pages themselves.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]

#[path = "../world/mod.rs"]
mod world;

mod alerts;
mod audit;
mod inbox;
mod numbers;
mod pages;
mod policy;
mod sessions;
mod views;

use world::{Person, World};

/// Engineers who ask, approvers, and the two who let people in.
struct Cast {
    world: World,
    erin: Person,
    fred: Person,
    olga: Person,
    sven: Person,
    udo: Person,
    ada: Person,
    ben: Person,
}

fn cast() -> Cast {
    let (world, mut ada, mut ben) = World::sealed();
    let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let fred = world.admit("Fred", &["engineer"], &mut ada, &mut ben);
    let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let sven = world.admit("Sven", &["security"], &mut ada, &mut ben);
    // From a new place it takes two of security.
    world.admit("Sara", &["security"], &mut ada, &mut ben);
    let udo = world.admit("Udo", &["auditor"], &mut ada, &mut ben);
    Cast { world, erin, fred, olga, sven, udo, ada, ben }
}
