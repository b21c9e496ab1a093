//! What `report` answers a person.

use std::fmt;
use std::path::Path;

use catalog::words;
use report::Report;

/// Where the page is, and how the databases are.
pub(super) struct PageAnswer<'a> {
    path: &'a Path,
    report: &'a Report,
}

impl<'a> PageAnswer<'a> {
    pub(super) fn new(path: &'a Path, report: &'a Report) -> Self {
        Self { path, report }
    }
}

impl fmt::Display for PageAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let databases = &self.report.databases;
        let wrong = databases.iter().filter(|one| !one.healthy).count();
        let count = words::count(databases.len() as u64, "database");
        let state = match (databases.len(), wrong) {
            (0, _) => String::new(),
            (_, 0) => ", healthy".to_owned(),
            (_, wrong) => format!(", {wrong} UNHEALTHY"),
        };
        writeln!(f, "{}: {count}{state}", self.path.display())
    }
}
