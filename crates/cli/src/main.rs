//! The `chancery` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    chancery_cli::main()
}
