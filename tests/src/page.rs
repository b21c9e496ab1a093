//! Pages of docs/ that have a part which a program writes, between two markers.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::tools;

/// A part of a page.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The page, from the checkout's root on.
    pub page: &'static str,
    /// The line before it, with its end.
    pub begin: &'static str,
    /// What comes after it.
    pub end: &'static str,
}

impl Part {
    /// Writes it again.
    pub fn write(&self, text: &str) -> ExitCode {
        let Part { page, begin, end } = self;
        let before = self.read();
        let parts = before.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let Some((before, after)) = parts else {
            eprintln!("error: {page} has no place for the table\nhint: put {begin}{end} there");
            return ExitCode::FAILURE;
        };
        std::fs::write(self.path(), format!("{before}{begin}\n{text}\n{end}{after}")).unwrap();
        ExitCode::SUCCESS
    }

    /// The whole page as it is.
    pub fn read(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn path(&self) -> PathBuf {
        tools::root().join(self.page)
    }
}
