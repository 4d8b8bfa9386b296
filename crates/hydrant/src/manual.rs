//! `hydrant completions` and `hydrant man`: what shells and `man` know of the command line.
//!
//! Made from the definitions in `cli`, like the help; nothing here is written by hand.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::{Cli, CompletionsArgs, ManArgs, Shell};
use crate::exit::Exit;
use crate::terminal::{self, fail};

/// Runs `hydrant completions`.
pub fn completions(args: &CompletionsArgs) -> Exit {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hydrant", &mut script);
    printed(&script)
}

/// Runs `hydrant man`.
pub fn man(args: &ManArgs) -> Exit {
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    if let Some(directory) = &args.directory {
        let written = std::fs::create_dir_all(directory).and_then(|()| pages_into(directory, &cli));
        let place = directory.display();
        return match written {
            Ok(()) => Exit::Done,
            Err(error) => {
                fail(Exit::Disk, &format!("writing manual pages to {place}: {error}"), None)
            }
        };
    }
    match page_of(&cli) {
        Ok(page) => printed(&page),
        Err(error) => fail(Exit::Bug, &format!("the manual page: {error}"), None),
    }
}

/// `hydrant.1`, `hydrant-run.1`, `hydrant-stream-forget.1` and so on.
fn pages_into(directory: &Path, command: &clap::Command) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    std::fs::write(directory.join(format!("{name}.1")), page_of(command)?)?;
    command.get_subcommands().try_for_each(|below| pages_into(directory, below))
}

fn page_of(command: &clap::Command) -> io::Result<Vec<u8>> {
    let version = concat!("hydrant ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).date("").source(version).manual("Hydrant");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    // What ends each help: examples as they are, and words that `man` fills.
    let mut examples = Vec::new();
    man.render_extra_section(&mut examples)?;
    let examples = String::from_utf8_lossy(&examples);
    let examples = examples.replacen(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n.nf\n", 1);
    let examples = examples.replacen("\n\n", "\n.fi\n.PP\n", 1);
    page.extend_from_slice(examples.as_bytes());
    page.extend_from_slice(b".fi\n");
    Ok(page)
}

fn printed(data: &[u8]) -> Exit {
    match terminal::print(data) {
        Ok(()) => Exit::Done,
        Err(error) => terminal::unwritten(&error),
    }
}
