//! What a disk holds after the power went: made again from the record of every step, with what was never synced
//! left out.
//!
//! The model is the strict one of POSIX: bytes last once their file was synced, names once their folder was. A real
//! file system may keep more, and in any order; a part of the cuts keeps some of it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::installation::Snapshot;
use crate::random::Random;

/// One step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub letter: u8,
    pub path: PathBuf,
    pub to: PathBuf,
    pub offset: u64,
    pub data: Vec<u8>,
    /// Where its record ends in the journal.
    pub end: u64,
}

/// A change of a file's bytes.
#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

/// A file, whatever it is called.
#[derive(Clone, Default)]
struct Inode {
    durable: Vec<u8>,
    mode: u32,
    unsynced: Vec<Change>,
}

/// A folder and the files in it, as written and as they would survive.
pub struct Disk {
    inodes: Vec<Inode>,
    folders: BTreeMap<PathBuf, u32>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
}

/// Reads the records that `shim.c` wrote.
pub fn read_journal(bytes: &[u8]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = bytes;
    while let Some((head, after)) = rest.split_first_chunk::<17>() {
        let short = |at: usize| usize::from(u16::from_ne_bytes([head[at], head[at + 1]]));
        let data = u32::from_ne_bytes(head[5..9].try_into().unwrap());
        let (path, after) = after.split_at(short(1));
        let (to, after) = after.split_at(short(3));
        let (data, after) = after.split_at(usize::try_from(data).unwrap());
        let text = |bytes: &[u8]| plain(Path::new(std::str::from_utf8(bytes).unwrap()));
        steps.push(Step {
            letter: head[0],
            path: text(path),
            to: text(to),
            offset: u64::from_ne_bytes(head[9..17].try_into().unwrap()),
            data: data.to_vec(),
            end: (bytes.len() - after.len()) as u64,
        });
        rest = after;
    }
    steps
}

/// Without `.` in it.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

impl Disk {
    /// A folder, all of it durable.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut disk = Self {
            inodes: Vec::new(),
            folders: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
        };
        for (path, (mode, bytes)) in snapshot.entries() {
            match bytes {
                None => drop(disk.folders.insert(path.clone(), *mode)),
                Some(bytes) => {
                    disk.names.insert(path.clone(), disk.inodes.len());
                    disk.inodes.push(Inode { durable: bytes.clone(), mode: *mode, unsynced: Vec::new() });
                }
            }
        }
        disk.durable_names = disk.names.clone();
        disk
    }

    /// Takes a step.
    pub fn take(&mut self, step: &Step) {
        match step.letter {
            b'C' => {
                self.names.insert(step.path.clone(), self.inodes.len());
                self.inodes.push(Inode { mode: 0o100_600, ..Inode::default() });
            }
            b'W' => self.change(&step.path, Change::Write(step.offset, step.data.clone())),
            b'T' => self.change(&step.path, Change::Truncate(step.offset)),
            b'S' => self.sync(&step.path),
            b'R' => {
                if let Some(inode) = self.names.remove(&step.path) {
                    self.names.insert(step.to.clone(), inode);
                }
            }
            b'U' => drop(self.names.remove(&step.path)),
            // A folder that is made, and what is only read.
            _ => {}
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        if let Some(inode) = self.names.get(path) {
            self.inodes[*inode].unsynced.push(change);
        }
    }

    fn sync(&mut self, path: &Path) {
        if let Some(inode) = self.names.get(path) {
            let inode = &mut self.inodes[*inode];
            for change in std::mem::take(&mut inode.unsynced) {
                change.apply(&mut inode.durable);
            }
        } else if self.folders.contains_key(path) {
            let within = |name: &PathBuf| name.parent() == Some(path);
            self.durable_names.retain(|name, _| !within(name));
            let now = self.names.iter().filter(|(name, _)| within(name));
            self.durable_names.extend(now.map(|(name, inode)| (name.clone(), *inode)));
        }
    }

    /// What is there after the power went. With lots, a part of what was never synced is there too: each change
    /// by itself, in no order.
    pub fn cut(&self, mut lots: Option<&mut Random>) -> Snapshot {
        let mut entries: BTreeMap<PathBuf, (u32, Option<Vec<u8>>)> =
            self.folders.iter().map(|(path, mode)| (path.clone(), (*mode, None))).collect();
        for (path, inode) in &self.durable_names {
            // The index of the write-ahead log is made again by whoever opens the database first.
            if path.to_string_lossy().ends_with("-shm") {
                continue;
            }
            let inode = &self.inodes[*inode];
            let mut bytes = inode.durable.clone();
            if let Some(lots) = lots.as_deref_mut() {
                let kept = inode.unsynced.iter().filter(|_| lots.percent(50));
                kept.for_each(|change| change.clone().apply(&mut bytes));
            }
            entries.insert(path.clone(), (inode.mode, Some(bytes)));
        }
        Snapshot::from_entries(entries)
    }
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Truncate(length) => bytes.resize(usize::try_from(length).unwrap(), 0),
            Self::Write(offset, data) => {
                let from = usize::try_from(offset).unwrap();
                bytes.resize(bytes.len().max(from + data.len()), 0);
                bytes[from..from + data.len()].copy_from_slice(&data);
            }
        }
    }
}
