//! The directory, and the passkeys in it.

mod act;
mod recover;

use chancery_api::passkey::PasskeyView;
use chancery_api::person::{PersonList, PersonView};
use clap::Subcommand;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Output, Table};

use act::{Act, Waiting, person};
use recover::Recover;

/// `chancery person`
#[derive(Debug, Subcommand)]
pub enum Person {
    /// Everybody
    List,
    /// One person
    View {
        /// Their id
        id: String,
    },
    /// Suspend a person, at once: opens the page on which your passkey signs
    #[command(after_help = "\
A person who is suspended may not sign in, ask, decide, start a grant or get a credential. Grants that run go on to
their end: `chancery grant list` shows them, `chancery grant revoke ID` ends one.

Example:
  chancery person suspend 01JD3Z5YQX8M0V4K2T7B9C6E1A")]
    Suspend {
        /// Their id
        id: String,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Let a person back in who lost all passkeys, or stop that
    Recover(Recover),
}

/// `chancery passkey`
#[derive(Debug, Subcommand)]
pub enum Passkey {
    /// Your own, or those of a person
    List {
        /// Whose; you when left out
        #[arg(long, value_name = "ID")]
        person: Option<String>,
    },
    /// Take a passkey away for good: opens the page on which a passkey signs
    #[command(after_help = "\
Yours, or as an identity administrator anybody's. Its sessions end with it.

Example:
  chancery passkey revoke 3c4f0a91 --person 01JD3Z5YQX8M0V4K2T7B9C6E1A")]
    Revoke {
        /// SHA-256 of its id, or the first 8 digits of it, as `passkey list` shows it
        passkey: String,
        /// Whose; you when left out
        #[arg(long, value_name = "ID")]
        person: Option<String>,
        #[command(flatten)]
        waiting: Waiting,
    },
}

impl Person {
    /// Shows them.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Recover(recover) => return recover.run(context),
            Self::Suspend { id, waiting } => {
                let act = Act { act: "person.suspended", person: &id, credential_id: None };
                return act.sign(context, &context.client()?, &waiting, |view| view.suspended);
            }
            Self::List => {
                let list: PersonList = context.client()?.read("/api/v1/persons")?;
                context.output.show_all(&list.items, |output| table(&list.items, output))?;
            }
            Self::View { id } => {
                let view = person(&context.client()?, &id)?;
                context.output.show(&view, |output| one(&view, output))?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Passkey {
    /// Shows them, or takes one away.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let client = context.client()?;
        match self {
            Self::List { person: whose } => {
                let whose = whose.unwrap_or(client.session()?.person().to_owned());
                let passkeys = person(&client, &whose)?.passkeys;
                context.output.show_all(&passkeys, |output| passkey_table(&passkeys, output))?;
                Ok(Exit::Done)
            }
            Self::Revoke { passkey, person: whose, waiting } => {
                let whose = whose.unwrap_or(client.session()?.person().to_owned());
                let id = find(&person(&client, &whose)?, &passkey)?;
                let act = Act { act: "passkey.removed", person: &whose, credential_id: Some(&id) };
                act.sign(context, &client, &waiting, |view| {
                    !all_passkeys(view).any(|one| one.credential_id == id)
                })
            }
        }
    }
}

/// Those of a person, with those that a running recovery could give back.
fn all_passkeys(view: &PersonView) -> impl Iterator<Item = &PasskeyView> {
    view.passkeys.iter().chain(view.recovery.iter().flat_map(|recovery| &recovery.lost))
}

/// The credential id of the one passkey that is meant.
fn find(view: &PersonView, named: &str) -> Result<String, Failure> {
    let meant = |one: &&PasskeyView| {
        one.credential_id_sha256 == named || (named.len() >= 8 && one.credential_id_sha256.starts_with(named))
    };
    let mut found = all_passkeys(view).filter(meant);
    match (found.next(), found.next()) {
        (Some(one), None) => act::passkey(&one.credential_id),
        (Some(_), Some(_)) => {
            Err(Failure::Usage(format!("`{named}` begins more than one passkey: give more digits")))
        }
        (None, _) => Err(Failure::Usage(format!(
            "no passkey of this person begins with `{named}`: see `passkey list`"
        ))),
    }
}

fn table(items: &[PersonView], output: &Output) -> String {
    let mut table = Table::with_header(&["PERSON", "NAME", "ROLES", "PASSKEYS", ""]);
    for item in items {
        table.row([
            item.person.clone(),
            item.name.clone().unwrap_or_default(),
            roles(item),
            item.passkeys.len().to_string(),
            if item.suspended { "suspended".to_owned() } else { String::new() },
        ]);
    }
    table.render(output, "nobody is enrolled")
}

fn one(view: &PersonView, output: &Output) -> String {
    let mut table = Table::default();
    table.pair("person", &view.person);
    table.pair("name", view.name.as_deref().unwrap_or("(erased)"));
    table.pair("roles", &roles(view));
    for (name, value) in &view.attributes {
        table.pair(name, value);
    }
    if view.suspended {
        table.pair("state", "suspended");
    }
    if let Some(recovery) = &view.recovery {
        let until = moment::with_distance(&recovery.counts_from);
        table.pair("recovery", &format!("running; the passkey counts from {until}"));
    }
    format!("{}\n{}", table.render(output, ""), passkey_table(&view.passkeys, output))
}

fn roles(view: &PersonView) -> String {
    view.roles.iter().cloned().collect::<Vec<_>>().join(", ")
}

fn passkey_table(passkeys: &[PasskeyView], output: &Output) -> String {
    let mut table = Table::with_header(&["PASSKEY (SHA-256)", "MODEL", "ATTESTED", "SYNCED"]);
    for passkey in passkeys {
        let synced = if passkey.backup_eligible { "may be" } else { "never" };
        let attested = if passkey.attested { "by its maker" } else { "by nobody" };
        table.row([passkey.credential_id_sha256.as_str(), passkey.aaguid.as_str(), attested, synced]);
    }
    table.render(output, "no passkeys")
}
