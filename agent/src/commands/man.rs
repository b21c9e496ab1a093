//! `lastgood man`: the manual pages, made from the same definitions as `--help`.

use std::path::Path;

use clap::CommandFactory as _;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report;
use crate::cli::{Cli, ManArgs};

/// Writes every page into the folder that was named, or prints the main page.
pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let Some(folder) = &args.directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|e| cannot_write(Path::new("stdout"), &e))?;
        report::print(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|e| cannot_write(folder, &e))?;
    Ok(Exit::Done)
}

fn cannot_write(place: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write manual pages to {}: {error}", place.display()))
}
