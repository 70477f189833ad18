//! A verification for terminals and for programs.

use chancery_canonical::json::{Map, Value};
use serde_json::json;

use super::check::Outcome;
use super::{Check, Verification};

/// Width of the column with the names.
const NAME_WIDTH: usize = 24;

impl Verification {
    /// One line for each check, the reasons under those that failed, then what is not proved. No colour, so that
    /// the words alone say it.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for check in &self.checks {
            push_check(&mut text, check);
        }
        if !self.later.is_empty() {
            text.push_str("\nafter this bundle, in the newer log\n");
            for event in &self.later {
                text.push_str(&format!(
                    "  leaf {}  {}  {}  {}\n",
                    event.index, event.at, event.kind, event.stream
                ));
            }
        }
        if !self.not_proved.is_empty() {
            text.push_str("\nNOT proved\n");
            for said in &self.not_proved {
                text.push_str(&format!("  - {}\n", plain(said)));
            }
        }
        text.push('\n');
        text.push_str(&self.summary());
        text.push('\n');
        text
    }

    /// One sentence.
    pub fn summary(&self) -> String {
        let failed = self.failed();
        if !failed.is_empty() {
            return format!("VERIFICATION FAILED: {}", failed.join(", "));
        }
        match &self.logged {
            Some(_) => format!("verified: an approved request, now {}", self.story.state),
            None => format!("verified: a request that is {}; nothing was approved", self.story.state),
        }
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        let checks: Vec<Value> = self.checks.iter().map(check_json).collect();
        let later: Vec<Value> = self
            .later
            .iter()
            .map(|event| json!({"leaf": event.index, "stream": event.stream, "kind": event.kind, "time": event.at}))
            .collect();
        json!({
            "verified": self.passed(),
            "approved": self.logged.is_some(),
            "state": self.story.state,
            "request": self.story.document.as_ref().map(|document| document.id.as_str()),
            "request_sha256": self.story.request_sha256.map(|digest| digest.to_hex()),
            "checks": checks,
            "failed": self.failed(),
            "not_proved": self.not_proved,
            "later": later,
        })
    }
}

fn push_check(text: &mut String, check: &Check) {
    let (word, problems): (&str, &[String]) = match &check.outcome {
        Outcome::Pass => ("pass", &[]),
        Outcome::Fail(problems) => ("FAIL", problems),
        Outcome::Skipped(_) => ("skip", &[]),
    };
    text.push_str(&format!("{word}  {:<NAME_WIDTH$}  {}\n", check.name, check.proves));
    for problem in problems {
        text.push_str(&format!("        {}\n", plain(problem)));
    }
    if let Outcome::Skipped(reason) = &check.outcome {
        text.push_str(&format!("        {}\n", plain(reason)));
    }
}

fn check_json(check: &Check) -> Value {
    let mut said = Map::new();
    said.insert("name".to_owned(), json!(check.name));
    said.insert("proves".to_owned(), json!(check.proves));
    let outcome = match &check.outcome {
        Outcome::Pass => "pass",
        Outcome::Fail(problems) => {
            said.insert("problems".to_owned(), json!(problems));
            "fail"
        }
        Outcome::Skipped(reason) => {
            said.insert("reason".to_owned(), json!(reason));
            "skipped"
        }
    };
    said.insert("outcome".to_owned(), json!(outcome));
    Value::Object(said)
}

/// Problems quote bytes of the bundle; nothing in them may steer a terminal.
fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}
