//! The log itself: its newest checkpoint, and proofs made here from its tiles.

mod rotate;

use std::path::PathBuf;

use chancery_ledger::note::Note;
use chancery_ledger::tile::{prove_consistency_from_tiles, prove_inclusion_from_tiles, root_from_tiles};
use chancery_ledger::tree::{Root, verify_consistency};
use chancery_ledger::{Checkpoint, LogProof, SignedCheckpoint, VerifierKey};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log_source::LogSource;
use crate::output::Output;
use crate::trust_folder;

/// `chancery log`
#[derive(Debug, Subcommand)]
pub enum Log {
    /// The newest checkpoint, its signature verified
    Checkpoint(Source),
    /// That a leaf stands in the log, as a c2sp.org/tlog-proof
    Prove {
        /// Index of the leaf, from 0
        index: u64,
        #[command(flatten)]
        source: Source,
    },
    /// That the log of one size is the beginning of a larger one
    Consistency {
        /// Leaves of the smaller
        old: u64,
        /// Leaves of the larger
        new: u64,
        #[command(flatten)]
        source: Source,
    },
    /// Begin a new life of the log, beside a stopped server; run again, it goes on
    Rotate(rotate::Rotate),
}

/// Which log, and whose key for it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chancery log checkpoint --trust ./trust --log ./demo-out/log")]
pub struct Source {
    /// The log's files: a server or a folder [default: the server's]
    #[arg(long, value_name = "URL|DIR")]
    log: Option<String>,
    /// Your trust directory; without it the server vouches for itself
    #[arg(long, value_name = "DIR")]
    trust: Option<PathBuf>,
}

impl Log {
    /// Does it.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Checkpoint(source) => checkpoint(&source.open(context)?, context.output),
            Self::Prove { index, source } => prove(&source.open(context)?, index, context.output),
            Self::Rotate(rotate) => rotate.run(context.output),
            Self::Consistency { old, new, source } => {
                consistency(&source.open(context)?, old, new, context.output)
            }
        }
    }
}

/// A log whose checkpoint was verified.
struct Opened {
    source: LogSource,
    key: VerifierKey,
    checkpoint: SignedCheckpoint,
}

impl Source {
    fn open(&self, context: &Context<'_>) -> Result<Opened, Failure> {
        let source = match &self.log {
            Some(text) => LogSource::parse(text)?,
            None => LogSource::Server(Box::new(context.anonymous()?)),
        };
        let note = Note::parse(&source.checkpoint()?).map_err(|fault| unverified(&fault))?;
        let key = self.key(context, &note)?;
        let checkpoint = Checkpoint::open_note(note, &key).map_err(|fault| unverified(&fault))?;
        Ok(Opened { source, key, checkpoint })
    }

    fn key(&self, context: &Context<'_>, note: &Note) -> Result<VerifierKey, Failure> {
        if let Some(folder) = &self.trust {
            let trust = trust_folder::read(folder)?;
            let origin = note.text().lines().next().unwrap_or_default();
            let key = trust.root().log_key(origin).cloned();
            return key.ok_or_else(|| unverified(&format!("the trust directory knows no log `{origin}`")));
        }
        context
            .output
            .note("the server vouches for its own log; use --trust DIR to hold it to what you know");
        let vkey = context.server_information()?.log_vkey;
        vkey.parse().map_err(|fault| Failure::Fault(format!("the server's log key: {fault}")))
    }
}

fn checkpoint(log: &Opened, output: &Output) -> Result<Exit, Failure> {
    let root = log.checkpoint.root();
    let note = log.checkpoint.note().to_string();
    let said = json!({
        "origin": log.checkpoint.checkpoint().origin().as_str(), "size": root.size(),
        "root": root.hash().to_base64(), "note": note, "verified_with": log.key.to_string(),
    });
    output.show(&said, |_| note.clone())?;
    Ok(Exit::Done)
}

fn prove(log: &Opened, index: u64, output: &Output) -> Result<Exit, Failure> {
    let size = log.checkpoint.root().size();
    if index >= size {
        return Err(Failure::Usage(format!(
            "the log has {size} leaves, the last is {}",
            size.saturating_sub(1)
        )));
    }
    let tiles = |path: &_| log.source.tile(path);
    let path = prove_inclusion_from_tiles(size, index, tiles).map_err(|fault| unverified(&fault))?;
    let proof =
        LogProof::new(index, path, log.checkpoint.note().clone()).map_err(|fault| unverified(&fault))?;
    let leaves = log.source.leaves(size);
    let leaf =
        leaves.read(index).ok_or_else(|| unverified(&format!("the bundle with leaf {index} is missing")))?;
    let entry = proof.verify_with_key(&leaf, &log.key).map_err(|fault| unverified(&fault))?;
    let said = json!({
        "index": index, "leaf": String::from_utf8_lossy(&leaf), "leaf_hash": entry.leaf_hash().to_base64(),
        "size": size, "proof": proof.to_string(),
    });
    output.show(&said, |_| proof.to_string())?;
    Ok(Exit::Done)
}

fn consistency(log: &Opened, old: u64, new: u64, output: &Output) -> Result<Exit, Failure> {
    let signed = log.checkpoint.root();
    if old > new || new > signed.size() {
        return Err(Failure::Usage(format!(
            "sizes go from the smaller to the larger, up to {}",
            signed.size()
        )));
    }
    let tiles = |path: &_| log.source.tile(path);
    let root = |size: u64| {
        let hash = root_from_tiles(size, tiles).map_err(|fault| unverified(&fault))?;
        Root::new(size, hash).map_err(|fault| unverified(&fault))
    };
    let between = |old: &Root, new: &Root| {
        let path = prove_consistency_from_tiles(old.size(), new.size(), tiles)
            .map_err(|fault| unverified(&fault))?;
        verify_consistency(old, new, &path).map_err(|fault| unverified(&fault))?;
        Ok::<_, Failure>(path)
    };
    let (old, new) = (root(old)?, root(new)?);
    let path = between(&old, &new)?;
    // What the tiles say is worth something only when the signed root comes of it.
    between(&new, signed)?;
    let hashes: Vec<String> = path.iter().map(chancery_ledger::Hash::to_base64).collect();
    let said = json!({
        "old": {"size": old.size(), "root": old.hash().to_base64()},
        "new": {"size": new.size(), "root": new.hash().to_base64()},
        "signed_size": signed.size(), "proof": hashes,
    });
    output.show(&said, |_| {
        let mut text =
            format!("{} {}\n{} {}\n", old.size(), old.hash().to_base64(), new.size(), new.hash().to_base64());
        hashes.iter().for_each(|hash| text.push_str(&format!("{hash}\n")));
        text
    })?;
    output.note(&format!("consistent, under the signed checkpoint of {} leaves", signed.size()));
    Ok(Exit::Done)
}

fn unverified(fault: &dyn std::fmt::Display) -> Failure {
    Failure::Outcome {
        exit: Exit::Unverified,
        message: format!("the log does not verify: {fault}"),
        remedy: "keep what you have; compare checkpoints with somebody else's".to_owned(),
    }
}
