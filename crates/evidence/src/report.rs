//! `report.html`: the story of one request for a human, made from what was verified and from nothing else.
//! One file, no script, nothing fetched; for screens, light and dark, and for paper.

mod html;

use chancery_canonical::Sha256;
use chancery_domain::document::DecisionKind;
use chancery_domain::state::LeaseStatus;
use chancery_domain::verdict::{Outcome as PolicyOutcome, Selector, VerdictDocument};

use crate::verify::{Outcome, Story, Verification, is_only_said};
use html::{Html, escaped};

const STYLE: &str = include_str!("report/style.css");

/// The whole page.
pub fn render(verification: &Verification) -> String {
    let mut page = Html::default();
    let story = &verification.story;
    heading(&mut page, verification);
    asked(&mut page, story);
    if let Some(verdict) = &story.verdict {
        policy(&mut page, story, verdict);
    }
    decided(&mut page, story);
    granted(&mut page, story);
    timeline(&mut page, verification);
    checks(&mut page, verification);
    not_proved(&mut page, verification);
    let title =
        story.document.as_ref().map_or_else(|| "evidence".to_owned(), |d| format!("Request {}", d.id));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
        escaped(&title),
        page.finish()
    )
}

fn heading(page: &mut Html, verification: &Verification) {
    let story = &verification.story;
    let title = story.document.as_ref().map_or_else(
        || "A request".to_owned(),
        |document| story.title.clone().unwrap_or_else(|| document.entitlement.name.clone()),
    );
    page.text("p", "kicker", "Evidence of one request");
    page.text("h1", "", &title);
    let class = if verification.passed() { "seal good" } else { "seal bad" };
    page.text("p", class, &verification.summary());
    page.text("p", "note", "This page repeats what was verified; it proves nothing itself. Verify the bundle again with your own trust directory.");
}

fn asked(page: &mut Html, story: &Story) {
    let Some(document) = &story.document else { return };
    page.text("h2", "", "What was asked");
    let mut rows = vec![
        ("Request", format!("{}, revision {}", document.id, document.revision)),
        ("Entitlement", document.entitlement.name.clone()),
        ("Requested by", story.name_of(&document.requester)),
        ("For", story.name_of(&document.beneficiary.person)),
        ("Drafted", document.created_at.to_string()),
        ("For how long", seconds(document.clocks.grant_seconds)),
    ];
    if let Some(ticket) = &document.ticket {
        rows.push(("Ticket", ticket.clone()));
    }
    if let Some(key) = &document.beneficiary.public_key {
        rows.push(("Bound to the key", key.clone()));
    }
    let why = story.justification.clone();
    rows.push(("Justification", why.unwrap_or_else(|| "redacted, or withheld from this bundle".to_owned())));
    for (name, value) in &document.parameters {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.push(("Parameter", format!("{name} = {value}")));
    }
    for artifact in &document.artifacts {
        rows.push((
            "Artifact",
            format!("{}, {} bytes, sha256 {}", artifact.name, artifact.size, artifact.sha256),
        ));
    }
    if let Some(digest) = &story.request_sha256 {
        rows.push(("Request digest", digest.to_hex()));
    }
    page.facts(&rows);
}

fn policy(page: &mut Html, story: &Story, verdict: &VerdictDocument) {
    page.text("h2", "", "What policy said");
    let said = match verdict.verdict {
        PolicyOutcome::Allow => "allowed, without approval",
        PolicyOutcome::RequireApproval => "allowed, with approval",
        PolicyOutcome::Deny => "denied",
    };
    let mut rows = vec![
        ("Verdict", said.to_owned()),
        ("Risk", format!("{} of 100, {}", verdict.risk.score, verdict.risk.tier)),
        ("Policy", verdict.policy_sha256.to_hex()),
        ("Engine", verdict.engine.clone()),
    ];
    if let Some(leaf) = story.verdict_leaf {
        rows.push(("In the log", format!("leaf {leaf}")));
    }
    rows.extend(verdict.obligations.iter().map(|obligation| ("Obliges to", obligation.clone())));
    page.facts(&rows);
    let factors =
        verdict.risk.factors.iter().map(|f| vec![f.factor.clone(), f.points.to_string(), f.detail.clone()]);
    page.table(&["Risk factor", "Points", "Why"], factors.collect());
    let stages = verdict.stages.iter().map(|stage| {
        let after = stage.after.iter().cloned().collect::<Vec<_>>().join(", ");
        vec![stage.id.clone(), stage.quorum.to_string(), selector(&stage.from), after]
    });
    page.table(&["Stage", "Seats", "Who may sit", "After"], stages.collect());
    let reasons = verdict.reasons.iter().map(|r| vec![r.rule.clone(), r.message.clone(), r.remedy.clone()]);
    page.table(&["Rule", "What it found", "What to do"], reasons.collect());
}

fn decided(page: &mut Html, story: &Story) {
    page.text("h2", "", "Who decided");
    if story.decisions.is_empty() {
        page.text("p", "", "Nobody decided.");
        return;
    }
    let row = |decision: &crate::verify::DecisionStory| {
        let mut what = decision_word(decision.decision).to_owned();
        if !decision.current {
            what.push_str(" (an earlier revision, void)");
        }
        let reason = decision.reason.clone().unwrap_or_default();
        vec![
            story.name_of(&decision.person),
            what,
            decision.stages.join(", "),
            decision.at.to_string(),
            short(&decision.credential_id_sha256),
            decision.index.to_string(),
            reason,
        ]
    };
    let rows = story.decisions.iter().map(row).collect();
    page.table(&["Person", "Decision", "Seats named", "When", "Passkey", "Leaf", "Reason"], rows);
    let seats = story.seats.iter().map(|(stage, people)| {
        let people = people.iter().map(|person| story.name_of(person)).collect::<Vec<_>>().join(", ");
        vec![stage.clone(), people]
    });
    page.table(&["Stage", "Seats filled by"], seats.collect());
}

fn granted(page: &mut Html, story: &Story) {
    page.text("h2", "", "What was granted");
    let mut rows = vec![("Now", story.state.clone())];
    if let Some(longest) = story.max_seconds {
        rows.push(("At most", seconds(longest)));
    }
    match &story.grant {
        Some((start, end)) => rows.extend([("Started", start.to_string()), ("Ends", end.to_string())]),
        None => rows.push(("Started", "never".to_owned())),
    }
    page.facts(&rows);
    let leases = story.leases.iter().map(|lease| {
        let status = match lease.status {
            LeaseStatus::Intended => "announced",
            LeaseStatus::Issued => "issued",
            LeaseStatus::Revoked => "revoked",
        };
        let intended = &lease.intended;
        vec![
            intended.lease.to_string(),
            intended.credential.clone(),
            intended.serial.clone(),
            status.to_owned(),
            intended.not_after.to_string(),
            lease.index.to_string(),
        ]
    });
    page.table(&["Lease", "Kind", "Serial", "Status", "Ends", "Leaf"], leases.collect());
}

fn timeline(page: &mut Html, verification: &Verification) {
    page.text("h2", "", "In the order of the log");
    let rows = verification.story.timeline.iter().map(|(leaf, at, kind)| {
        let said = if is_only_said(kind) { format!("{kind} (the server says)") } else { (*kind).to_owned() };
        vec![leaf.to_string(), at.to_string(), said]
    });
    page.table(&["Leaf", "Time", "Event"], rows.collect());
    let later = verification.later.iter().map(|event| {
        vec![event.index.to_string(), event.at.clone(), event.kind.clone(), event.stream.clone()]
    });
    page.table(&["Later leaf", "Time", "Event", "Stream"], later.collect());
}

fn checks(page: &mut Html, verification: &Verification) {
    page.text("h2", "", "Checks");
    let rows = verification.checks.iter().map(|check| {
        let (word, note) = match &check.outcome {
            Outcome::Pass => ("pass", String::new()),
            Outcome::Fail(problems) => ("FAIL", problems.join("; ")),
            Outcome::Skipped(reason) => ("skipped", reason.clone()),
        };
        vec![word.to_owned(), check.name.to_owned(), check.proves.to_owned(), note]
    });
    page.table(&["Result", "Check", "What it proves", "Note"], rows.collect());
}

fn not_proved(page: &mut Html, verification: &Verification) {
    if verification.not_proved.is_empty() {
        return;
    }
    page.text("h2", "", "What is NOT proved");
    page.list(&verification.not_proved);
}

fn decision_word(decision: DecisionKind) -> &'static str {
    match decision {
        DecisionKind::Approve => "approved",
        DecisionKind::Reject => "rejected",
        DecisionKind::Withdraw => "withdrew the approval",
        DecisionKind::Revoke => "revoked the grant",
        DecisionKind::Override => "overruled policy",
        DecisionKind::BreakGlass => "broke the glass",
    }
}

fn selector(selector: &Selector) -> String {
    let joined =
        |parts: &[Selector], word: &str| parts.iter().map(self::selector).collect::<Vec<_>>().join(word);
    match selector {
        Selector::All(parts) => format!("({})", joined(parts, " and ")),
        Selector::Any(parts) => format!("({})", joined(parts, " or ")),
        Selector::Not(part) => format!("not {}", self::selector(part)),
        Selector::Role(role) => format!("role {role}"),
        Selector::Group(group) => format!("group {group}"),
        Selector::Attribute(wanted) => {
            wanted.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(" and ")
        }
        Selector::Person(person) => format!("person {person}"),
        Selector::ManagerOf(_) => "the requester's manager".to_owned(),
    }
}

fn seconds(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, rest) => format!("{rest} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, rest) => format!("{minutes} min {rest} s"),
        (hours, 0, 0) => format!("{hours} h"),
        (hours, minutes, rest) => format!("{hours} h {minutes} min {rest} s"),
    }
}

/// Enough of a digest to tell two keys of one person apart.
fn short(digest: &Sha256) -> String {
    digest.to_hex().chars().take(16).collect()
}
