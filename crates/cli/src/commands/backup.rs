//! `chancery backup` and `chancery restore`, and the way on from a restored backup.

use std::path::{Path, PathBuf};

use chancery_ledger::note::Note;
use chancery_server::adopt::{AdoptOptions, AdoptedInstallation, Mirror, adopt};
use chancery_server::backup::{BackupOptions, Manifest, backup};
use chancery_server::restore::{RestoreOptions, restore};
use clap::Args;
use serde_json::json;

use super::server::{DataFolder, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log_source::LogSource;
use crate::output::{Output, Table};

/// `chancery backup`
#[derive(Debug, Args)]
#[command(after_help = "\
Made beside a running server or without one, and verified before it has its name: every entry, tile and row is
recomputed, and the checkpoint's signature checked. Sessions, links and offers are not in it. Neither are the keys,
unless you say --with-keys: keep those apart, or whoever has the backup can sign for the log.

Example:
  chancery backup --data /var/lib/chancery --out /var/backups/chancery-2026-11-22")]
pub struct Backup {
    #[command(flatten)]
    data: DataFolder,
    /// A folder that does not exist yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Put the private keys in as well
    #[arg(long)]
    with_keys: bool,
}

/// `chancery restore`
#[derive(Debug, Args)]
#[command(after_help = "\
What comes out of a backup signs and mints nothing: it cannot know whether anything was signed after it. A server that
is started on it only takes back what is due. `chancery server adopt` is the way on.

Example:
  chancery restore /var/backups/chancery-2026-11-22 --data /var/lib/chancery --keys /root/chancery-keys")]
pub struct Restore {
    /// The backup
    backup: PathBuf,
    #[command(flatten)]
    data: DataFolder,
    /// Folder with the private keys, where the backup holds none
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// A later revocation list, from a host or from the old disk
    #[arg(long, value_name = "FILE")]
    krl: Option<PathBuf>,
}

/// `chancery server adopt`
#[derive(Debug, Args)]
#[command(after_help = "\
Compares a restored journal with the newest checkpoint that you know of. Where nothing is missing, it may sign again.
Where entries are missing, they are taken in from a mirror of the log; without one they are named, and nothing is
signed. Documents, names and envelopes of what was missing stay lost: a mirror never had them.

Examples:
  chancery server adopt --data /var/lib/chancery --log /srv/mirror/log
  chancery server adopt --data /var/lib/chancery --checkpoint newest-checkpoint")]
pub struct Adopt {
    #[command(flatten)]
    data: DataFolder,
    /// A mirror of the log, newer than the backup: a server or a folder with its tiles
    #[arg(long, value_name = "URL|DIR")]
    log: Option<String>,
    /// The newest checkpoint that is known: from a witness, the old disk, or the newest evidence
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Take back certificates that the issuer minted and that the log does not know
    #[arg(long)]
    revoke_unknown: bool,
}

impl Backup {
    /// Makes it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let options = BackupOptions { with_keys: self.with_keys, clock: None };
        let made = runtime()?.block_on(backup(self.data.path(), &self.out, options));
        let manifest = made.map_err(|fault| Failure::Fault(fault.to_string()))?;
        show(&manifest, &self.out, output)?;
        for path in &manifest.outside {
            output.note(&format!("not in it, being outside the data folder: {}", path.display()));
        }
        output.note(match manifest.with_keys {
            true => "the private keys ARE in it: whoever has it can sign for the log and issue credentials",
            false => "the private keys are NOT in it: keep a copy of keys/ apart from it, nothing starts without them",
        });
        Ok(Exit::Done)
    }
}

fn show(manifest: &Manifest, folder: &Path, output: &Output) -> Result<(), Failure> {
    let bytes: u64 = manifest.files.values().map(|file| file.size).sum();
    let said = json!({
        "folder": folder, "log_origin": manifest.log_origin, "size": manifest.size, "root": manifest.root,
        "made_at": manifest.made_at, "files": manifest.files.len(), "bytes": bytes,
        "with_keys": manifest.with_keys, "outside": manifest.outside,
    });
    output.show(&said, |output| {
        let mut table = Table::default();
        table.pair("folder", &folder.display().to_string());
        table.pair("log", &manifest.log_origin);
        table.pair("entries", &manifest.size.to_string());
        table.pair("root", &manifest.root);
        table.pair("made at", &manifest.made_at.to_string());
        table.pair("files", &format!("{} ({bytes} bytes)", manifest.files.len()));
        table.pair("keys", if manifest.with_keys { "yes" } else { "no" });
        table.render(output, "")
    })
}

impl Restore {
    /// Restores.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let options = RestoreOptions { keys: self.keys, revocation_list: self.krl };
        let restored = runtime()?.block_on(restore(&self.backup, self.data.path(), options));
        let restored = restored.map_err(|fault| Failure::Fault(fault.to_string()))?;
        show(&restored.manifest, self.data.path(), output)?;
        let data = self.data.path().display();
        if !restored.has_keys {
            output.note(&format!(
                "put the private keys into {data}/keys (folder 0700, files 0600); nothing starts without them"
            ));
        }
        output.note(&format!(
            "nothing is signed on it yet; next: chancery server adopt --data '{data}' --log URL|DIR"
        ));
        Ok(Exit::Done)
    }
}

impl Adopt {
    /// Compares, takes in, and lets it sign.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut checkpoints = Vec::new();
        for path in &self.checkpoint {
            let note = std::fs::read(path).map_err(|fault| Failure::file(path, fault))?;
            checkpoints.push((path.display().to_string(), note));
        }
        let source = self.log.as_deref().map(LogSource::parse).transpose()?;
        let published = source.as_ref().map(Published::read).transpose()?;
        let leaves = published.as_ref().map(|log| log.source.leaves(log.size));
        let entry = |index: u64| leaves.as_ref().and_then(|leaves| leaves.read(index));
        let mirror =
            published.as_ref().map(|log| Mirror { checkpoint: log.checkpoint.clone(), entry: &entry });
        let options = AdoptOptions { checkpoints, mirror, revoke_unknown: self.revoke_unknown, clock: None };
        let adopted = runtime()?.block_on(adopt(self.data.path(), options));
        let adopted = adopted.map_err(|fault| Failure::Fault(fault.to_string()))?;
        self.say(&adopted, output)
    }

    fn say(&self, adopted: &AdoptedInstallation, output: &Output) -> Result<Exit, Failure> {
        let taken = adopted.log.size.saturating_sub(adopted.log.before);
        let unknown: Vec<String> = adopted.unknown_serials.iter().map(u64::to_string).collect();
        let said = json!({
            "entries_before": adopted.log.before, "entries": adopted.log.size, "taken_in": taken,
            "revocation_list": adopted.list_number.to_string(), "unknown_serials": unknown,
            "revoked_unknown": adopted.revoked_unknown,
        });
        output.show(&said, |output| {
            let mut table = Table::default();
            table.pair("entries", &adopted.log.size.to_string());
            table.pair("taken in", &taken.to_string());
            table.pair("revocation list", &format!("number {}", adopted.list_number));
            table.pair("unknown certificates", &unknown.len().to_string());
            table.render(output, "")
        })?;
        if !unknown.is_empty() && !adopted.revoked_unknown {
            output.note(&format!(
                "the issuer minted certificates that the log does not know, serials {}; `chancery server adopt` with \
                 `--revoke-unknown` takes them back",
                unknown.join(", ")
            ));
        }
        output
            .note(&format!("it may sign again: chancery server run --data '{}'", self.data.path().display()));
        Ok(Exit::Done)
    }
}

/// A mirror, with the size that its own checkpoint has.
struct Published<'a> {
    source: &'a LogSource,
    checkpoint: Vec<u8>,
    size: u64,
}

impl<'a> Published<'a> {
    fn read(source: &'a LogSource) -> Result<Self, Failure> {
        let checkpoint = source.checkpoint()?;
        let note = Note::parse(&checkpoint)
            .map_err(|fault| Failure::Fault(format!("the mirror's checkpoint: {fault}")))?;
        let size = note.text().lines().nth(1).and_then(|line| line.parse().ok());
        let size = size.ok_or_else(|| Failure::Fault("the mirror's checkpoint has no size".to_owned()))?;
        Ok(Self { source, checkpoint, size })
    }
}
