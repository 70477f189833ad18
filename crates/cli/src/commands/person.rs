//! The directory, and the passkeys in it.

use chancery_api::passkey::PasskeyView;
use chancery_api::person::{PersonList, PersonView};
use chancery_api::session::WhoAmI;
use clap::Subcommand;

use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Table};

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
}

impl Person {
    /// Shows them.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let client = context.client()?;
        match self {
            Self::List => {
                let list: PersonList = client.read("/api/v1/persons")?;
                context.output.show_all(&list.items, |output| table(&list.items, output))?;
            }
            Self::View { id } => {
                let view: PersonView = client.read(&format!("/api/v1/persons/{}", segment(&id)?))?;
                context.output.show(&view, |output| one(&view, output))?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Passkey {
    /// Shows them.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let Self::List { person } = self;
        let client = context.client()?;
        let passkeys = match person {
            Some(id) => client.read::<PersonView>(&format!("/api/v1/persons/{}", segment(&id)?))?.passkeys,
            None => client.read::<WhoAmI>("/api/v1/whoami")?.passkeys,
        };
        context.output.show_all(&passkeys, |output| passkey_table(&passkeys, output))?;
        Ok(Exit::Done)
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
