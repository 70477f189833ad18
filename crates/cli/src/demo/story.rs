//! Tells what happens, and keeps it for machines.

use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};

use super::out::OutFolder;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Tone, clean};

/// The story so far.
pub struct Story<'a> {
    output: &'a Output,
    begun: Instant,
    steps: Vec<Step>,
}

/// One step, as `transcript.json` has it.
#[derive(Debug, Serialize)]
struct Step {
    step: usize,
    name: &'static str,
    title: &'static str,
    outcome: &'static str,
    milliseconds: u128,
    said: Vec<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    result: Value,
}

/// What one step says.
pub struct Telling<'a> {
    output: &'a Output,
    said: Vec<String>,
    result: Value,
}

impl<'a> Story<'a> {
    /// Opens it.
    pub fn begin(output: &'a Output) -> Self {
        let story = Self { output, begun: Instant::now(), steps: Vec::new() };
        let title = output.paint(Tone::Strong, "Chancery, shown on real parts");
        story.print(&format!("{title}\nA server, its log, passkeys in software, and an OpenSSH server.\n"));
        story
    }

    /// One step. What it does not show as told ends the demonstration.
    pub fn step<T>(
        &mut self,
        name: &'static str,
        title: &'static str,
        act: impl FnOnce(&mut Telling<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let number = self.steps.len() + 1;
        self.print(&format!("\n{:>2}  {}", number, self.output.paint(Tone::Strong, title)));
        let begun = Instant::now();
        let mut telling = Telling { output: self.output, said: Vec::new(), result: Value::Null };
        let done = act(&mut telling);
        let outcome = if done.is_ok() { "as told" } else { "failed" };
        if let Err(failure) = &done {
            telling.said.push(failure.to_string());
        }
        let Telling { said, result, .. } = telling;
        let milliseconds = begun.elapsed().as_millis();
        self.steps.push(Step { step: number, name, title, outcome, milliseconds, said, result });
        done.map_err(|failure| Failure::Outcome {
            exit: Exit::Error,
            message: format!("step {number} (`{name}`) did not come out as told: {failure}"),
            remedy: failure.remedy().to_owned(),
        })
    }

    /// Writes `transcript.json`.
    pub fn write(&self, out: &OutFolder, server: Option<&str>, complete: bool) -> Result<(), Failure> {
        out.write("transcript.json", transcript(self, server, complete).as_bytes())
    }

    /// The last words.
    pub fn close(&self, out: &OutFolder) -> Result<(), Failure> {
        let seconds = self.begun.elapsed().as_secs_f32();
        let done = self.output.paint(Tone::Good, &format!("all {} steps as told", self.steps.len()));
        self.print(&format!(
            "\n{done} in {seconds:.1} s; left in {}",
            clean(&out.path().display().to_string())
        ));
        self.print("  evidence.zip  tampered.zip  trust/  log/  revoked.krl  transcript.json");
        if !self.output.is_text() {
            let steps = json!({"steps": self.steps, "out": out.path()});
            self.output.show(&steps, |_| String::new())?;
        }
        Ok(())
    }

    /// A line outside of any step.
    pub fn print(&self, text: &str) {
        say(self.output, text);
    }

    /// Colours.
    pub fn strong(&self, text: &str) -> String {
        self.output.paint(Tone::Strong, text)
    }
}

impl Telling<'_> {
    /// A sentence.
    pub fn say(&mut self, text: &str) {
        say(self.output, &format!("    {text}"));
        self.said.push(text.to_owned());
    }

    /// What a part said itself, line by line.
    pub fn quote(&mut self, text: &str) {
        for line in text.lines() {
            let line = clean(line.trim_end());
            say(self.output, &format!("    {} {}", self.output.paint(Tone::Faint, "│"), line));
            self.said.push(line);
        }
    }

    /// It went as it should: a mark, and why it matters.
    pub fn shown(&mut self, text: &str) {
        say(self.output, &format!("    {} {text}", self.output.paint(Tone::Good, "✓")));
        self.said.push(text.to_owned());
    }

    /// For `transcript.json`.
    pub fn result(&mut self, result: Value) {
        self.result = result;
    }
}

/// Refuses to go on when something is not as told.
pub fn require(holds: bool, what: impl Into<String>) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Fault(what.into())) }
}

fn say(output: &Output, text: &str) {
    if output.is_text() {
        let _ = output.bytes(format!("{text}\n").as_bytes());
    } else {
        output.note(text);
    }
}

fn transcript(story: &Story<'_>, server: Option<&str>, complete: bool) -> String {
    let transcript = json!({
        "type": "urn:chancery:demo:v1", "version": env!("CARGO_PKG_VERSION"),
        "engine": chancery_policy::engine_version(), "server": server,
        "outcome": if complete { "as told" } else { "failed" }, "steps": story.steps,
    });
    format!("{transcript:#}\n")
}
