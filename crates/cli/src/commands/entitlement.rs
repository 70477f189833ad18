//! What may be asked for.

use chancery_api::entitlement::{EntitlementList, EntitlementView};
use clap::Subcommand;
use serde_json::Value;

use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Output, Table};

/// `chancery entitlement`
#[derive(Debug, Subcommand)]
pub enum Entitlement {
    /// All of the active policy
    List,
    /// One, with its form
    #[command(after_help = "Example:\n  chancery entitlement view ssh-admin")]
    View {
        /// Its name
        name: String,
    },
}

impl Entitlement {
    /// Shows them.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let client = context.client()?;
        match self {
            Self::List => {
                let list: EntitlementList = client.read("/api/v1/entitlements")?;
                context.output.show_all(&list.items, |output| table(&list.items, output))?;
            }
            Self::View { name } => {
                let view: EntitlementView =
                    client.read(&format!("/api/v1/entitlements/{}", segment(&name)?))?;
                context.output.show(&view, |output| one(&view, output))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn table(items: &[EntitlementView], output: &Output) -> String {
    let mut table = Table::with_header(&["NAME", "KIND", "RISK", "LONGEST", "TITLE"]);
    for item in items {
        let text =
            |pointer: &str| item.data.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let longest = item.data.pointer("/clocks/grant_seconds").and_then(Value::as_u64);
        table.row([
            item.name.clone(),
            item.kind.clone(),
            text("/risk_tier"),
            longest.map(moment::length).unwrap_or_default(),
            item.title.clone(),
        ]);
    }
    table.render(output, "the policy defines no entitlements")
}

fn one(view: &EntitlementView, output: &Output) -> String {
    let mut table = Table::default();
    table.pair("name", &view.name);
    table.pair("title", &view.title);
    table.pair("kind", &view.kind);
    table.pair("digest", &view.sha256);
    let required: Vec<&str> = view
        .form
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in view.form.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let title = field.get("title").and_then(Value::as_str).unwrap_or_default();
        let choices = field.get("enum").map(|choices| format!(" {choices}")).unwrap_or_default();
        let kind = field.get("type").and_then(Value::as_str).unwrap_or("any");
        let need = if required.contains(&name.as_str()) { "required" } else { "optional" };
        table.pair(&format!("--set {name}"), &format!("{kind}, {need}: {title}{choices}"));
    }
    for (name, seconds) in view.data.get("clocks").and_then(Value::as_object).into_iter().flatten() {
        table.pair(&super::request::clock(name), &seconds.as_u64().map(moment::length).unwrap_or_default());
    }
    table.render(output, "")
}
