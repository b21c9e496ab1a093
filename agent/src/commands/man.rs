//! `lastgood man`: the manual pages, made from the same definitions as `--help`.

mod page;

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use crate::answers::failure::{Exit, Failure};
use crate::answers::report;
use crate::cli::{Cli, ManArgs};
use crate::commands::man::page::page;

/// Writes every page into the folder that was named, or prints the main page.
pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    let names: Vec<String> =
        whole.get_subcommands().filter_map(|command| Some(command.get_display_name()?.to_owned())).collect();
    let Some(folder) = &args.directory else {
        let page = page(&whole, &names).map_err(|e| cannot_write(Path::new("stdout"), &e))?;
        report::print(page.trim_end())?;
        return Ok(Exit::Done);
    };
    write(&whole, &names, folder).map_err(|e| cannot_write(folder, &e))?;
    Ok(Exit::Done)
}

/// Writes a page for the program, and one for each command.
fn write(whole: &Command, names: &[String], folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for command in std::iter::once(whole).chain(whole.get_subcommands()) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        std::fs::write(folder.join(format!("{name}.1")), page(command, names)?)?;
    }
    Ok(())
}

fn cannot_write(place: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write manual pages to {}: {error}", place.display()))
}
