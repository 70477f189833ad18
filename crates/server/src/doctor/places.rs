//! Files and folders: who may read them, how much room there is, which engine is linked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use chancery_store::SqliteStore;

use super::Report;
use crate::config::Config;

/// Below this much room the next backup or checkpoint may fail, in bytes.
const LITTLE_ROOM: u64 = 256 * 1024 * 1024;
/// Below this much nothing may be accepted for long.
const NO_ROOM: u64 = 32 * 1024 * 1024;

/// Permissions, disk and engine.
pub fn examine(config: &Config, report: &mut Report) {
    permissions(config, report);
    disk(config, report);
    report.good("engine", format!("SQLite {}", SqliteStore::engine_version()));
}

fn permissions(config: &Config, report: &mut Report) {
    let data = &config.data;
    let mut secret: Vec<PathBuf> = vec![
        data.clone(),
        data.join(crate::config::FILE),
        data.join("keys"),
        data.join("issuer"),
        config.ssh_ca_key(),
    ];
    secret.extend([config.checkpoint_copy().parent().unwrap_or(data).to_owned(), config.checkpoint_copy()]);
    for folder in [data.join("keys"), data.join("issuer")] {
        secret.extend(fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    let name = config.database();
    for end in ["", "-wal", "-shm", ".lock"] {
        let mut file = name.clone().into_os_string();
        file.push(end);
        secret.push(PathBuf::from(file));
    }
    secret.push(data.join(crate::setup::ENROLMENT_LINK));
    secret.sort();
    secret.dedup();
    let open: Vec<String> = secret.iter().filter_map(|path| open_to_others(path)).collect();
    if open.is_empty() {
        report.good("permissions", format!("{} files and folders are the owner's alone", secret.len()));
    }
    for path in open {
        let remedy =
            format!("if nobody has read it, `chmod go= {path}`; a key that was read has to be replaced");
        report.bad("permissions", format!("`{path}` can be read or entered by others"), &remedy);
    }
}

/// The path, when others than its owner may do anything with it. What is not there is somebody else's finding.
fn open_to_others(path: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(path).ok()?;
    (metadata.permissions().mode() & 0o077 != 0).then(|| path.display().to_string())
}

fn disk(config: &Config, report: &mut Report) {
    let Some(free) = free_bytes(&config.data) else {
        report.notice("disk", "nobody could say how much room there is", "look with `df`");
        return;
    };
    let size = fs::metadata(config.database()).map_or(0, |metadata| metadata.len());
    let said = format!("{} MiB free, the database has {} MiB", free >> 20, size >> 20);
    let remedy = "make room, or move the folder to a larger disk while the server is stopped";
    if free < NO_ROOM {
        report.bad("disk", said, remedy);
    } else if free < LITTLE_ROOM || free < size {
        // A backup on the same disk, and a rewrite of the database, need as much again.
        report.notice("disk", said, remedy);
    } else {
        report.good("disk", said);
    }
}

/// Bytes that this user may still write where a folder is. The standard library does not ask; `df` of POSIX does.
fn free_bytes(folder: &Path) -> Option<u64> {
    let output = std::process::Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let kibibytes: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    kibibytes.checked_mul(1024)
}
