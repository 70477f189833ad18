//! What the disk and the engine could do at most.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{ENTRY, Waits, repeat};

/// Appends 4 KiB to a file and makes them durable.
pub fn raw(directory: &Path, length: Duration) -> Waits {
    let mut file = File::create(directory.join("raw")).unwrap();
    repeat(length, || {
        file.write_all(&[0x55; 4096]).unwrap();
        file.sync_data().unwrap();
    })
}

fn open(directory: &Path, name: &str) -> Connection {
    let path = directory.join(name);
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; DROP TABLE IF EXISTS entries;
             CREATE TABLE entries (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
        )
        .unwrap();
    connection
}

fn insert(connection: &Connection) {
    let mut insert = connection.prepare_cached("INSERT INTO entries (bytes) VALUES (?1)").unwrap();
    insert.execute([[0x55_u8; ENTRY]]).unwrap();
}

/// So many entries a commit, by nobody but this loop.
pub fn in_a_loop(directory: &Path, length: Duration, group: u32) -> Waits {
    let connection = open(directory, "loop.db");
    let mut waits = repeat(length, || {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..group {
            insert(&connection);
        }
        connection.execute_batch("COMMIT").unwrap();
    });
    waits.each = waits.each.into_iter().flat_map(|wait| std::iter::repeat_n(wait, group as usize)).collect();
    waits
}

/// An entry that is to be written, and whom to tell.
type Waiting = (Vec<u8>, oneshot::Sender<()>);

/// Writers that each wait for the commit of their entry, and one thread that commits whatever waits.
pub async fn group_commit(directory: &Path, length: Duration, writers: u32) -> Waits {
    let connection = open(directory, "group.db");
    let (queue, waiting) = mpsc::channel::<Waiting>(1024);
    let thread = std::thread::spawn(move || commit_groups(&connection, waiting));
    let begin = Instant::now();
    let writers: Vec<_> = (0..writers)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while begin.elapsed() < length {
                    let start = Instant::now();
                    let (told, committed) = oneshot::channel();
                    queue.send((vec![0x55; ENTRY], told)).await.unwrap();
                    committed.await.unwrap();
                    waits.push(start.elapsed());
                }
                waits
            })
        })
        .collect();
    drop(queue);
    let mut each = Vec::new();
    for writer in writers {
        each.extend(writer.await.unwrap());
    }
    let whole = begin.elapsed();
    thread.join().unwrap();
    Waits { each, whole }
}

fn commit_groups(connection: &Connection, mut waiting: mpsc::Receiver<Waiting>) {
    let mut group = Vec::new();
    while waiting.blocking_recv_many(&mut group, 512) > 0 {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (entry, _) in &group {
            let mut insert = connection.prepare_cached("INSERT INTO entries (bytes) VALUES (?1)").unwrap();
            insert.execute([entry]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        for (_, told) in group.drain(..) {
            told.send(()).unwrap();
        }
    }
}
