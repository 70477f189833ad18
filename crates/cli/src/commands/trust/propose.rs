//! Proposing a successor of the trust root, beside the server.

use std::path::PathBuf;

use chancery_server::{Change, ProposeOptions, Proposed};
use clap::Args;
use serde_json::{Value, json};

use super::recovery::SealedKeys;
use crate::commands::request::grouped;
use crate::commands::server::{DataFolder, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Output, Table, clean};

/// `chancery trust propose`
#[derive(Debug, Args)]
#[command(after_help = "\
Without changes the root is renewed: two more years, who administrates now, and the engine of this program. Places are
JSON pointers into trust.json (`chancery trust show DIR -o json`); `/-` at the end adds to a list.

Examples:
  chancery trust propose --data ./chancery-data
  chancery trust propose --data ./chancery-data --set /floors/ssh-admin/minimum_approvers=2")]
pub struct Propose {
    #[command(flatten)]
    data: DataFolder,
    /// What stands at a place from then on, as JSON or as plain text
    #[arg(long, value_name = "POINTER=VALUE", value_parser = set)]
    set: Vec<Change>,
    /// What is taken away
    #[arg(long, value_name = "POINTER", value_parser = remove)]
    remove: Vec<Change>,
    /// A whole trust.json to take places from, in place of `--set`: those members of it that differ
    #[arg(long, value_name = "FILE", conflicts_with_all = ["set", "remove"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    recovery: SealedKeys,
    /// In place of a proposal that waits already, and of its signatures
    #[arg(long)]
    replace: bool,
}

/// Members that a proposal sets by itself, and that no file is asked for.
const OWN: [&str; 7] = [
    "administrators",
    "administrators_needed",
    "created_at",
    "previous_sha256",
    "sealed_with",
    "type",
    "version",
];

fn set(text: &str) -> Result<Change, String> {
    let (pointer, value) = text.split_once('=').ok_or("write POINTER=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok(Change { pointer: pointer_of(pointer)?, value: Some(value) })
}

fn remove(text: &str) -> Result<Change, String> {
    Ok(Change { pointer: pointer_of(text)?, value: None })
}

fn pointer_of(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("a JSON pointer begins with `/`".to_owned()) }
}

impl Propose {
    /// Proposes it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut changes: Vec<Change> = self.set.into_iter().chain(self.remove).collect();
        if let Some(file) = &self.file {
            let bytes = std::fs::read(file).map_err(|fault| Failure::file(file, fault))?;
            let value: Value = serde_json::from_slice(&bytes).map_err(|fault| Failure::file(file, fault))?;
            let members = value.as_object().ok_or_else(|| Failure::file(file, "is no JSON object"))?;
            let own = |name: &str| OWN.contains(&name);
            let taken = members.iter().filter(|(name, _)| !own(name));
            changes.extend(
                taken.map(|(name, value)| Change { pointer: format!("/{name}"), value: Some(value.clone()) }),
            );
        }
        let recovery = self.recovery.read()?;
        if !recovery.keys.is_empty() {
            changes.push(Change { pointer: "/recovery".to_owned(), value: Some(json!(recovery)) });
        }
        let options = ProposeOptions { changes, replace: self.replace, clock: None };
        let proposed = runtime()?.block_on(chancery_server::propose(self.data.path(), options));
        shown(&proposed.map_err(|fault| Failure::Fault(fault.to_string()))?, output)?;
        Ok(Exit::Done)
    }
}

/// What was proposed, and what comes next.
pub fn shown(proposed: &Proposed, output: &Output) -> Result<(), Failure> {
    let document = proposed.root.document();
    let sha256 = proposed.root.sha256().to_hex();
    let said = json!({
        "version": document.version, "sha256": sha256, "needed": proposed.needed, "changes": proposed.changes,
        "file": proposed.file,
    });
    output.show(&said, |output| {
        let mut table = Table::default();
        table.pair("proposed", &format!("version {}", document.version));
        table.pair("document", &grouped(&sha256));
        table.pair("expires", &moment::with_distance(&document.expires_at.to_string()));
        table.pair("to sign", &format!("{} administrators", proposed.needed));
        let lines: String = proposed.changes.iter().map(|line| clean(line) + "\n").collect();
        table.render(output, "") + &lines
    })?;
    output
        .note("next: administrators sign it on the signing page, under People; the server then takes it up");
    Ok(())
}
