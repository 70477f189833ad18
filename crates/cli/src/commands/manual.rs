//! Completions and the manual page.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// `chancery completion`
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  chancery completion bash > ~/.local/share/bash-completion/completions/chancery"
)]
pub struct Completion {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completion {
    /// Prints the script.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "chancery", &mut script);
        output.bytes(&script)?;
        Ok(Exit::Done)
    }
}

/// Prints the manual page: the program, then each command.
pub fn page(output: &Output) -> Result<Exit, Failure> {
    let fault = |fault: std::io::Error| Failure::Fault(format!("cannot write the manual: {fault}"));
    let mut command = Arguments::command();
    command.build();
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text).map_err(fault)?;
    command.get_subcommands().try_for_each(|subcommand| section(subcommand, &mut text)).map_err(fault)?;
    output.bytes(&text)?;
    Ok(Exit::Done)
}

/// One command, and those below it.
fn section(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    text.extend_from_slice(format!(".SH {}\n", name.to_uppercase()).as_bytes());
    let page = clap_mangen::Man::new(command.clone());
    page.render_synopsis_section(text)?;
    page.render_description_section(text)?;
    let own: Vec<clap::Arg> =
        command.get_arguments().filter(|argument| !argument.is_global_set()).cloned().collect();
    if !own.is_empty() {
        let options = clap::Command::new("options").disable_help_flag(true).args(own);
        clap_mangen::Man::new(options).render_options_section(text)?;
    }
    command.get_subcommands().try_for_each(|subcommand| section(subcommand, text))
}
