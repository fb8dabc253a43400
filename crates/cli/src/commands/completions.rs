//! `trapheus completions`: prints a shell's completions.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit::Exit;

pub(crate) fn run(shell: Shell) -> Exit {
    clap_complete::generate(
        shell,
        &mut Arguments::command(),
        "trapheus",
        &mut io::stdout(),
    );
    Exit::Succeeded
}
