//! `trust/`: writing it once, looking at it, comparing two.

pub mod propose;
pub mod recovery;

use std::path::PathBuf;

use chancery_domain::id::PersonId;
use chancery_evidence::trust::{IssuerKey, TrustDirectory, diff};
use chancery_server::{RecoveryLinkOptions, SealOptions};
use clap::Subcommand;
use serde_json::json;

use super::server::{DataFolder, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Output, Table, Tone, clean};
use crate::trust_folder;

/// `chancery trust`
#[derive(Debug, Subcommand)]
pub enum Trust {
    /// Write trust/ once two administrators are enrolled; a running server takes it up by itself
    #[command(after_help = "Example:\n  chancery trust seal --data ./chancery-data")]
    Seal {
        #[command(flatten)]
        data: DataFolder,
        /// Seal with one administrator, for a demonstration or a team of one; the root says so
        #[arg(long)]
        single: bool,
        #[command(flatten)]
        recovery: recovery::SealedKeys,
    },
    /// Propose a successor of the sealed root; it counts when administrators of both have signed it on the signing page
    Propose(propose::Propose),
    /// What a trust directory says
    Show {
        /// The directory
        folder: PathBuf,
    },
    /// What differs between two trust directories, and whether one follows the other; exits with 1 when something
    /// differs, with 9 when the later one does not follow the earlier
    Diff {
        /// The one before
        before: PathBuf,
        /// The one after
        after: PathBuf,
    },
    /// Make an offline recovery key
    RecoveryKey(recovery::MakeKey),
    /// Sign a recovery with an offline recovery key
    RecoverySign(recovery::Sign),
    /// A one-time enrolment link for a lock-out, beside a stopped server; what it leads to waits for recovery keys
    #[command(after_help = "Example:\n  chancery trust recovery-link --data /var/lib/chancery")]
    RecoveryLink {
        #[command(flatten)]
        data: DataFolder,
        /// Who lost their passkeys; a new administrator when left out
        #[arg(long, value_name = "ID")]
        person: Option<PersonId>,
    },
}

impl Trust {
    /// Does it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self {
            Self::Seal { data, single, recovery } => {
                let recovery = recovery.read()?;
                let options = SealOptions { allow_single: single, recovery, ..SealOptions::default() };
                let sealed = runtime()?.block_on(chancery_server::seal(data.path(), options));
                let sealed = sealed.map_err(|fault| Failure::Fault(fault.to_string()))?;
                show(&trust_folder::read(&sealed.folder)?, output)?;
                output.note(&format!(
                    "sealed: give copies of {} to whoever will verify",
                    sealed.folder.display()
                ));
                Ok(Exit::Done)
            }
            Self::Propose(propose) => propose.run(output),
            Self::RecoveryKey(make) => make.run(output),
            Self::RecoverySign(sign) => sign.run(output),
            Self::RecoveryLink { data, person } => recovery_link(&data, person, output),
            Self::Show { folder } => {
                show(&trust_folder::read(&folder)?, output)?;
                Ok(Exit::Done)
            }
            Self::Diff { before, after } => {
                let (before, after) = (trust_folder::read(&before)?, trust_folder::read(&after)?);
                let lines = diff(before.root(), after.root());
                output.show_all(&lines, |output| match lines.as_slice() {
                    [] => output.paint(Tone::Faint, "both say the same"),
                    lines => lines.iter().map(|line| clean(line) + "\n").collect(),
                })?;
                follows(&before, &after, output)?;
                Ok(if lines.is_empty() { Exit::Done } else { Exit::Error })
            }
        }
    }
}

/// Whether the one directory leads to the other, each version signed by the administrators of the one before it.
fn follows(before: &TrustDirectory, after: &TrustDirectory, output: &Output) -> Result<(), Failure> {
    let version = |directory: &TrustDirectory| directory.root().document().version;
    let (earlier, later) = if version(before) > version(after) { (after, before) } else { (before, after) };
    if earlier.root().sha256() == later.root().sha256() {
        return Ok(());
    }
    if later.lineage().contains(&earlier.root().sha256()) {
        let (from, to) = (version(earlier), version(later));
        output.note(&format!(
            "version {to} follows version {from}: each step is signed by the administrators of both"
        ));
        return Ok(());
    }
    Err(Failure::Outcome {
        exit: Exit::Unverified,
        message:
            "neither follows the other: they are roots of two installations, or two successors of one version"
                .to_owned(),
        remedy: "ask two administrators by another way which one they signed".to_owned(),
    })
}

/// The link is a secret: it stays in its file.
fn recovery_link(data: &DataFolder, person: Option<PersonId>, output: &Output) -> Result<Exit, Failure> {
    let options = RecoveryLinkOptions { person, clock: None };
    let made = runtime()?.block_on(chancery_server::recovery_link(data.path(), options));
    let made = made.map_err(|fault| Failure::Fault(fault.to_string()))?;
    let said = json!({"person": made.person.to_string(), "link_file": made.file});
    output.show(&said, |output| {
        let mut table = Table::default();
        table.pair("person", made.person.as_str());
        table.pair("link", &made.file.display().to_string());
        table.render(output, "")
    })?;
    output.note(
        "next: start the server, open the link once, and take the enrolment that the page names to the keys",
    );
    Ok(Exit::Done)
}

fn show(trust: &TrustDirectory, output: &Output) -> Result<(), Failure> {
    let root = trust.root();
    let document = root.document();
    let said = json!({"sha256": root.sha256().to_hex(), "trust": document});
    output.show(&said, |output| {
        let mut table = Table::default();
        table.pair("trust root", &format!("version {}, sha256 {}", document.version, root.sha256().to_hex()));
        table.pair("expires", &moment::with_distance(&document.expires_at.to_string()));
        if !trust.signatures().is_empty() {
            let signers: Vec<&str> = trust.signatures().iter().map(|one| one.person.as_str()).collect();
            table.pair("signed by", &signers.join(" "));
        }
        for IssuerKey::Ssh { public_key } in &document.issuers {
            table.pair("SSH authority", public_key);
        }
        for log in &document.logs {
            table.pair("log", &log.vkey);
        }
        table.pair("site", &document.origins.join(" "));
        for person in &document.genesis.persons {
            let roles: Vec<&str> = person.roles.iter().map(String::as_str).collect();
            table.pair(
                "person",
                &format!("{} ({}), {} passkeys", person.id, roles.join(", "), person.passkeys.len()),
            );
        }
        table.pair(
            "administrators",
            &format!("{} needed of {}", document.administrators_needed, document.sealed_with),
        );
        let recovery = &document.recovery;
        let keys = match recovery.keys.len() {
            0 => "no keys: losing all administrators is final".to_owned(),
            count => format!("{} of {count} keys", recovery.threshold),
        };
        table.pair("recovery", &keys);
        table.pair("policy", &document.policy.genesis_sha256.to_hex());
        for engine in &document.engines {
            table.pair("engine", engine);
        }
        for (entitlement, floor) in &document.floors {
            let longest = moment::length(floor.maximum_seconds);
            let allow = if floor.allow { "" } else { ", never without" };
            table.pair(
                &format!("floor {}", clean(entitlement)),
                &format!("at least {} approvers{allow}, at most {longest}", floor.minimum_approvers),
            );
        }
        table.render(output, "")
    })
}
