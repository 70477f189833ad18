//! The same figures in a journal that grows, and with more and more requests that wait.

use std::time::{Duration, Instant};

use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_store::{Append, NewEvent, RequestFilter, SqliteStore, Store as _, StreamAppend};

use crate::installation::{Installation, fresh_id};
use crate::measure::{read, submit, whole_way};
use crate::plot::{Figure, svg};
use crate::seed::Pattern;
use crate::world::World;

/// Times that each small thing is measured.
const TIMES: usize = 200;
/// Name of that figure.
const READY: &str = "ready after a start";

/// Which way it grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// More events, of requests that are over.
    Events,
    /// More requests that wait.
    Pending,
}

/// Grows an installation through these sizes and measures at each. Returns the worst ratio to the first, and how many
/// milliseconds the server took to be ready at the last.
pub fn grow(way: Way, sizes: &[(&'static str, usize)], plot: Option<&str>) -> (f64, f64) {
    let mut installation = Installation::new(24, 2);
    let (_, ids) = whole_way(&mut installation, 2);
    let mut figures: Vec<Figure> = Vec::new();
    for (_, size) in sizes {
        let mut appends = Vec::new();
        let own: Vec<String> = match way {
            // Nobody may have more requests waiting than the limit.
            Way::Pending => Vec::new(),
            Way::Events => installation.requesters.iter().map(|person| person.id.clone()).collect(),
        };
        installation.without_server(|world| appends = fill(world, way, *size, &ids[0], &own));
        for (position, (name, unit, value)) in
            figures_of(&mut installation, &appends, &ids[0]).into_iter().enumerate()
        {
            match figures.get_mut(position) {
                Some(figure) => figure.values.push(value),
                None => figures.push(Figure { name: name.to_owned(), unit, values: vec![value] }),
            }
        }
    }
    let names: Vec<&str> = sizes.iter().map(|(name, _)| *name).collect();
    println!("\n| growth | {} | worst ratio |\n|---|{}---|", names.join(" | "), "---|".repeat(names.len()));
    for figure in &figures {
        let values: Vec<String> = figure.values.iter().map(|value| format!("{value:.2}")).collect();
        println!("| {}, {} | {} | {:.2} |", figure.name, figure.unit, values.join(" | "), figure.worst());
    }
    if let Some(path) = plot {
        std::fs::write(path, svg("What grows with the log: each figure at three sizes", &names, &figures))
            .unwrap();
    }
    let ready = figures.iter().find(|figure| figure.name == READY).and_then(|figure| figure.values.last());
    (figures.iter().map(Figure::worst).fold(1.0, f64::max), ready.copied().unwrap_or(f64::NAN))
}

/// Each figure: name, unit, value.
fn figures_of(
    installation: &mut Installation,
    appends: &[Duration],
    id: &str,
) -> Vec<(&'static str, &'static str, f64)> {
    let mut ready: Vec<f64> = (0..3)
        .map(|_| {
            installation.without_server(|_| {});
            installation.server().ready.as_secs_f64() * 1000.0
        })
        .collect();
    ready.sort_by(f64::total_cmp);
    let few = submit(installation, 4, TIMES);
    let many = submit(installation, 64, 4 * TIMES);
    let (ways, _) = whole_way(installation, 5);
    // As many as there are at the first size.
    let list = "/api/v1/requests?role=requester&limit=10";
    let inbox = "/api/v1/requests?role=approver&state=pending&limit=50";
    let evidence = format!("/api/v1/requests/{id}/evidence");
    let (asks, decides) = (&installation.requesters[0], &installation.parties[0].owner);
    vec![
        ("append, 1 writer, p50", "ms", appends[appends.len() / 2].as_secs_f64() * 1000.0),
        (READY, "ms", ready[1]),
        ("submit, 4 clients, p50", "ms", few.at(50)),
        ("submit, 64 clients, each", "ms", 1000.0 / many.per_second()),
        ("submit, server's CPU, each", "ms", many.server_each()),
        ("whole way, 2 parties, p50", "ms", ways.at(50)),
        ("list of one's own, p50", "ms", read(installation, asks, list, TIMES).at(50)),
        ("inbox, p50", "ms", read(installation, decides, inbox, TIMES / 2).at(50)),
        ("evidence export, p50", "ms", read(installation, decides, &evidence, TIMES / 4).at(50)),
    ]
}

/// Fills the journal up to a size, and measures appends to it.
fn fill(world: &World, way: Way, size: usize, id: &str, own: &[String]) -> Vec<Duration> {
    let store = world.store();
    let begin = Instant::now();
    let appends = world.runtime.block_on(async {
        let pattern = Pattern::of(&store, id).await;
        let log = usize::try_from(store.checkpoint().await.unwrap().root().size()).unwrap();
        match way {
            Way::Events => {
                let pattern = pattern.ended();
                let count = size.saturating_sub(log / 2) / pattern.events();
                pattern.repeat(&store, count, own).await;
            }
            Way::Pending => {
                let wait = RequestFilter { states: vec!["pending".to_owned()], ..RequestFilter::default() };
                let waiting = store.count_requests(wait, Timestamp::from_unix(0).unwrap()).await.unwrap();
                pattern.waiting().repeat(&store, size.saturating_sub(waiting as usize), own).await;
            }
        }
        append_one_at_a_time(&store).await
    });
    let log = world.runtime.block_on(store.checkpoint()).unwrap().root().size();
    eprintln!("filled to {log} leaves in {:.1} s", begin.elapsed().as_secs_f64());
    appends
}

async fn append_one_at_a_time(store: &SqliteStore) -> Vec<Duration> {
    let time = store.newest_time().await.unwrap().unwrap();
    let stream = Stream::Request(fresh_id().parse().unwrap());
    let mut waits = Vec::new();
    for expected_version in 0..TIMES as u64 {
        let body = serde_json::json!({ "filler": "x".repeat(700) }).as_object().unwrap().clone();
        let event = NewEvent { kind: "request.decided".to_owned(), body, private: None, attestation: None };
        let streams = vec![StreamAppend { stream: stream.clone(), expected_version, events: vec![event] }];
        let start = Instant::now();
        store.append(Append { streams, ..Append::at(time) }).await.unwrap();
        waits.push(start.elapsed());
    }
    waits.sort_unstable();
    waits
}
