//! Data on stdout, everything else on stderr; texts of others never steer the terminal.

mod table;

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::Global;
use crate::failure::Failure;

pub use table::Table;

/// The form of data on stdout. (Variants are commented with `//`: clap would print a page of each doc.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // for people
    #[default]
    Text,
    // one JSON document
    Json,
    // one on each line
    Jsonl,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    // on a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    Always,
    Never,
}

/// A colour by what it says.
#[derive(Clone, Copy, Debug)]
pub enum Tone {
    /// It went well.
    Good,
    /// It did not.
    Bad,
    /// Look here.
    Strong,
    /// Beside the matter.
    Faint,
}

/// Where a command says what it has to say.
#[derive(Debug, Clone)]
pub struct Output {
    format: Format,
    stdout_color: bool,
    stderr_color: bool,
    quiet: bool,
    verbose: u8,
    interactive: bool,
}

impl Output {
    /// As the flags say.
    pub fn new(global: &Global) -> Self {
        let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let color = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && allowed,
        };
        let (stdout, stderr) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Self {
            format: global.output,
            stdout_color: color(stdout) && global.output == Format::Text,
            stderr_color: color(stderr),
            quiet: global.quiet,
            verbose: global.verbose,
            interactive: stderr && !global.no_input && std::io::stdin().is_terminal(),
        }
    }

    /// Whether stdout is for people.
    pub fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// Whether a person sits there who may be asked, and for whom a browser may be opened.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Whether a spinner may turn.
    pub fn may_spin(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Shows one value: as JSON, or as the text that `text` makes of it.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn show<T: Serialize>(&self, value: &T, text: impl FnOnce(&Self) -> String) -> Result<(), Failure> {
        let line = match self.format {
            Format::Text => text(self),
            Format::Json => to_json(value, true)?,
            Format::Jsonl => to_json(value, false)?,
        };
        self.write(line.as_bytes(), !line.ends_with('\n') && !line.is_empty())
    }

    /// Shows many values: as one array, one a line, or as text.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn show_all<T: Serialize>(
        &self,
        items: &[T],
        text: impl FnOnce(&Self) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Text | Format::Json => self.show(&items, text),
            Format::Jsonl => items.iter().try_for_each(|item| self.show(item, |_| String::new())),
        }
    }

    /// Bytes as they are: evidence, a proof, a checkpoint.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(bytes, false)
    }

    fn write(&self, bytes: &[u8], end_line: bool) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        let result = stdout.write_all(bytes).and_then(|()| match end_line {
            true => stdout.write_all(b"\n"),
            false => Ok(()),
        });
        match result.and_then(|()| stdout.flush()) {
            // `chancery … | head` has seen enough
            Err(fault) if fault.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(fault) => Err(Failure::Fault(format!("cannot write to stdout: {fault}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Says something to a person, on stderr; not with `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Says how it works, with `-v`.
    pub fn detail(&self, text: &str) {
        if self.verbose > 0 {
            let _ = writeln!(std::io::stderr(), "{}", self.on_stderr(Tone::Faint, text));
        }
    }

    /// Says why a command failed, on stderr.
    pub fn failure(&self, failure: &Failure) {
        let text = match self.format {
            Format::Text => {
                let mut text =
                    format!("{} {}", self.on_stderr(Tone::Bad, "error:"), clean(&failure.to_string()));
                if let Failure::Problem(problem) = failure {
                    for error in problem.errors.iter().filter(|error| !problem.reason.contains(&error.detail))
                    {
                        text.push_str(&format!("\n  {} {}", clean(&error.pointer), clean(&error.detail)));
                    }
                }
                if !failure.remedy().is_empty() {
                    text.push_str(&format!(
                        "\n{} {}",
                        self.on_stderr(Tone::Strong, "next: "),
                        clean(failure.remedy())
                    ));
                }
                if let (Failure::Problem(problem), true) = (failure, self.verbose > 0) {
                    text.push_str(&format!(
                        "\ncode:  {} ({})",
                        clean(&problem.code),
                        clean(&problem.request_id)
                    ));
                }
                text
            }
            Format::Json | Format::Jsonl => failure.to_json().to_string(),
        };
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Colours a text for stdout.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        paint(self.stdout_color, tone, text)
    }

    /// Colours a text for stderr.
    pub fn on_stderr(&self, tone: Tone, text: &str) -> String {
        paint(self.stderr_color, tone, text)
    }
}

fn paint(enabled: bool, tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Good => "32",
        Tone::Bad => "31",
        Tone::Strong => "1",
        Tone::Faint => "2",
    };
    if enabled { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn to_json<T: Serialize>(value: &T, pretty: bool) -> Result<String, Failure> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.map_err(|fault| Failure::Fault(fault.to_string()))
}

/// A text from elsewhere, with everything escaped that would move the cursor, colour, or reorder what is read.
pub fn clean(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars()
        .flat_map(|character| {
            let escaped: Vec<char> =
                if steers(character) { character.escape_unicode().collect() } else { vec![character] };
            escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_reason_cannot_steer_the_terminal() {
        for (text, shown) in [
            ("plain – Ünïcode", "plain – Ünïcode"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("two\nlines", "two\\u{a}lines"),
            ("abc\u{202e}def", "abc\\u{202e}def"),
        ] {
            assert_eq!(clean(text), shown);
        }
    }
}
