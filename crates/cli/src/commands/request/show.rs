//! A request, and a draft of one, as a person reads them.

use std::collections::BTreeMap;

use chancery_api::person::PersonReference;
use chancery_api::request::{ClocksView, Draft, RequestView, StageView};
use chancery_canonical::{Canonical, Disclosure};
use chancery_domain::document::RequestDocument;
use serde_json::Value;

use crate::moment;
use crate::output::{Output, Table, Tone, clean};

/// Everything about a request.
pub fn view(view: &RequestView, output: &Output) -> String {
    let mut table = Table::default();
    table.pair("request", &format!("{} (revision {})", view.id, view.revision));
    table.toned(vec![
        (Some(Tone::Faint), "state".to_owned()),
        (Some(tone_of(&view.state)), view.state.clone()),
    ]);
    table.pair("by", &name(&view.requester));
    if view.beneficiary != view.requester {
        table.pair("for", &name(&view.beneficiary));
    }
    document(&mut table, &view.document, &view.disclosures);
    verdict(&mut table, &view.verdict);
    clocks(&mut table, &view.clocks);
    table.pair("digest", &grouped(&view.request_sha256));
    if let Some(digits) = &view.matching_number {
        table.pair("digits", &format!("{digits}, to be told to whoever approves"));
    }
    let mut text = table.render(output, "");
    text.push_str(&stages(&view.stages, output));
    for decision in &view.decisions {
        let reason =
            decision.reason.as_deref().map(|reason| format!(": {}", clean(reason))).unwrap_or_default();
        let who = clean(&name(&decision.person));
        text.push_str(&format!(
            "  {who} said {}{reason} (leaf {})\n",
            clean(&decision.decision),
            decision.leaf_index
        ));
    }
    if !view.timeline.is_empty() {
        text.push('\n');
        let mut table = Table::with_header(&["LEAF", "TIME", "EVENT", "WHAT"]);
        for entry in &view.timeline {
            table.row([&entry.leaf_index.to_string(), &entry.time, &entry.kind, &entry.summary]);
        }
        text.push_str(&table.render(output, ""));
    }
    text
}

/// What would come of a draft.
pub fn draft(draft: &Draft, output: &Output) -> String {
    let mut table = Table::default();
    document(&mut table, &draft.document, &draft.disclosures);
    verdict(&mut table, &draft.preview.verdict);
    for (name, seconds) in members(&draft.preview.verdict, "/constraints") {
        if let Some(seconds) = seconds.as_u64() {
            table.pair(&clock(name), &moment::length(seconds));
        }
    }
    let mut text = table.render(output, "");
    text.push_str(&stages(&draft.preview.stages, output));
    // A denial's reasons stand in the verdict already.
    let said: Vec<&str> = strings(&draft.preview.verdict, "/reasons", "rule");
    let missing = draft.preview.missing.iter().filter(|missing| !said.contains(&missing.code.as_str()));
    for missing in missing {
        let pointer =
            missing.pointer.as_deref().map(|pointer| format!(" {}", clean(pointer))).unwrap_or_default();
        text.push_str(&format!(
            "{}{pointer} {}\n  {}\n",
            output.paint(Tone::Bad, "missing:"),
            clean(&missing.reason),
            clean(&missing.remedy)
        ));
    }
    text.push_str("nothing was submitted\n");
    text
}

/// A clock's name in words: its unit stands in the value.
pub fn clock(name: &str) -> String {
    clean(name.strip_suffix("_seconds").unwrap_or(name)).replace('_', " ")
}

/// One text of each member of a list.
fn strings<'a>(value: &'a Value, list: &str, name: &str) -> Vec<&'a str> {
    let items = value.pointer(list).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.get(name).and_then(Value::as_str)).collect()
}

/// What is asked, from the signed document and not from what stands beside it.
fn document(table: &mut Table, text: &str, disclosures: &[String]) {
    let Ok(canonical) = Canonical::parse(text.as_bytes()) else { return };
    let Ok(request) = canonical.decode::<RequestDocument>() else { return };
    table.pair("asks for", &request.entitlement.name);
    for (name, value) in &request.parameters {
        table.pair(&format!("  {}", clean(name)), &plain(value));
    }
    for artifact in &request.artifacts {
        table.pair(
            &format!("  {}", clean(&artifact.name)),
            &format!("{} bytes, {}", artifact.size, artifact.sha256),
        );
    }
    table.pair("at most", &moment::length(request.clocks.grant_seconds));
    if let Some(not_before) = request.clocks.not_before {
        table.pair("not before", &not_before.to_string());
    }
    if let Some(ticket) = &request.ticket {
        table.pair("ticket", ticket);
    }
    if let Some(line) = &request.beneficiary.public_key
        && let Ok(key) = chancery_evidence::ssh_key::SshPublicKey::parse(line)
    {
        table.pair("ssh key", &key.fingerprint());
    }
    let disclosed: BTreeMap<String, Disclosure> = disclosures
        .iter()
        .filter_map(|encoded| Disclosure::parse(encoded).ok())
        .map(|disclosure| {
            (chancery_canonical::base64::encode_url(disclosure.digest().as_bytes()), disclosure)
        })
        .collect();
    for digest in &request.concealed {
        match disclosed.get(digest) {
            Some(disclosure) => table.pair(disclosure.name(), &plain(disclosure.value())),
            None => table.pair("concealed", "(not shown to you, or erased)"),
        }
    }
}

fn verdict(table: &mut Table, verdict: &Value) {
    let text = |pointer: &str| verdict.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if !text("/verdict").is_empty() {
        table.pair("policy says", &text("/verdict").replace('_', " "));
    }
    if let Some(score) = verdict.pointer("/risk/score").and_then(Value::as_i64) {
        table.pair("risk", &format!("{score} ({})", text("/risk/tier")));
    }
    for factor in verdict.pointer("/risk/factors").and_then(Value::as_array).into_iter().flatten() {
        let points = factor.get("points").and_then(Value::as_i64).unwrap_or_default();
        let detail = factor.get("detail").and_then(Value::as_str).unwrap_or_default();
        table.pair("", &format!("{points:+} {detail}"));
    }
    for reason in verdict.pointer("/reasons").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| reason.get(name).and_then(Value::as_str).unwrap_or_default();
        table.pair("because", &format!("{} [{}]", text("message"), text("rule")));
        if !text("remedy").is_empty() {
            table.pair("remedy", text("remedy"));
        }
    }
}

fn clocks(table: &mut Table, clocks: &ClocksView) {
    if let Some(seconds) = clocks.max_seconds {
        table.pair("policy gives", &format!("at most {}", moment::length(seconds)));
    }
    let mut line = |name: &str, moment: &Option<String>| {
        if let Some(moment) = moment {
            table.pair(name, &moment::with_distance(moment));
        }
    };
    line("lapses", &clocks.lapses_at);
    line("start by", &clocks.starts_by);
    line("started", &clocks.started_at);
    line("ends", &clocks.ends_at);
}

fn stages(stages: &[StageView], output: &Output) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let mut table = Table::with_header(&["", "STAGE", "SEATS", "APPROVED BY", "MAY APPROVE"]);
    for stage in stages {
        let people = |people: &[PersonReference]| people.iter().map(name).collect::<Vec<_>>().join(", ");
        let mark = if stage.filled {
            (Some(Tone::Good), "✓".to_owned())
        } else {
            (Some(Tone::Faint), "·".to_owned())
        };
        let after = if stage.after.is_empty() {
            String::new()
        } else {
            format!(" (after {})", stage.after.join(", "))
        };
        table.toned(vec![
            mark,
            (None, format!("{}{after}", stage.id)),
            (None, format!("{}/{}", stage.approved_by.len(), stage.quorum)),
            (None, people(&stage.approved_by)),
            (None, people(&stage.eligible)),
        ]);
    }
    format!("\n{}", table.render(output, ""))
}

/// The name, or the id where the name is not shown.
pub fn name(person: &PersonReference) -> String {
    person.name.clone().unwrap_or_else(|| person.person.clone())
}

/// The first 20 digits of a digest in groups of four, to read aloud.
pub fn grouped(digest: &str) -> String {
    let digits: Vec<char> = digest.chars().take(20).collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn tone_of(state: &str) -> Tone {
    match state {
        "approved" | "active" | "completed" => Tone::Good,
        "evaluating" | "pending" => Tone::Strong,
        _ => Tone::Bad,
    }
}
