//! Where backups go: a folder, a bucket, or both.

use std::path::{Path, PathBuf};

use super::{Asker, Places, say};
use crate::answers::failure::{Exit, Failure};
use crate::commands::init::machine::PACKAGED;
use crate::commands::init::offer::Lines;
use crate::settings::complaint;

impl Asker<'_> {
    /// The places.
    ///
    /// # Errors
    /// Exit 2 for what is none.
    pub(super) fn place(&self) -> Result<Places, Failure> {
        let args = self.args;
        if args.bucket.is_none() && self.stack.is_none() {
            let alone = [("--region", &args.region), ("--prefix", &args.prefix), ("--endpoint", &args.endpoint)];
            if let Some((flag, _)) = alone.iter().find(|(_, value)| value.is_some()) {
                let error = format!("{flag} says something of a bucket, and none is named");
                return Err(Failure::new(Exit::Usage, error).hint("name it with --bucket NAME, or leave that out"));
            }
        }
        if args.directory.is_some() || args.bucket.is_some() || self.stack.is_some() {
            let directory = args.directory.as_deref().map(|folder| self.folder(folder)).transpose()?;
            let lines = self.bucket(args.bucket.as_deref())?;
            return Ok(Places { directory, lines, from: "the command line".to_owned() });
        }
        if let Some(offer) = self.found.places.first() {
            let question = format!("Backups go to {} ({}). Take that over?", offer.shown, offer.from);
            if (self.args.dry_run && !self.may_ask()) || self.agrees(&question, true)? {
                return self.taken_over(offer.lines.clone(), &offer.from);
            }
        }
        self.asked_place()
    }

    fn asked_place(&self) -> Result<Places, Failure> {
        let from = "typed".to_owned();
        if !self.may_ask() {
            let directory = Some(self.folder(&self.usual_folder())?);
            return Ok(Places { directory, lines: Lines::new(), from: "default".to_owned() });
        }
        loop {
            let usual = self.usual_folder().display().to_string();
            let folder = self.line("The folder for backups (none: only a bucket)", &usual)?;
            let directory = match folder.as_str() {
                "none" => Ok(None),
                folder => self.folder(Path::new(folder)).map(Some),
            };
            let bucket = self.line("An S3 bucket for them (none: no bucket)", "none")?;
            let lines = if bucket == "none" { Ok(Lines::new()) } else { self.bucket(Some(&bucket)) };
            match (directory, lines) {
                (Err(failure), _) | (_, Err(failure)) if failure.exit != Exit::Usage => return Err(failure),
                (Err(failure), _) | (_, Err(failure)) => say(&failure.to_string()),
                (Ok(None), Ok(lines)) if lines.is_empty() => say("One place is needed."),
                (Ok(directory), Ok(lines)) => return Ok(Places { directory, lines, from }),
            }
        }
    }

    /// Those of another file; its folder is looked at like any other.
    fn taken_over(&self, mut lines: Lines, from: &str) -> Result<Places, Failure> {
        let at = lines.iter().position(|(name, _)| name == "BACKUP_DIR");
        let directory = at.map(|at| lines.remove(at).1);
        let directory = directory.map(|folder| self.folder(Path::new(&folder))).transpose()?;
        Ok(Places { directory, lines, from: from.to_owned() })
    }

    pub(super) fn usual_folder(&self) -> PathBuf {
        if self.machine.is_root() { PACKAGED.into() } else { self.machine.own.home.join("lastgood-backups") }
    }

    /// A whole path to a folder that is there, or can be made.
    fn folder(&self, typed: &Path) -> Result<PathBuf, Failure> {
        let own = typed.strip_prefix("~").map(|rest| self.machine.own.home.join(rest));
        let refused = |error: String, hint: &str| Err(Failure::new(Exit::Usage, error).hint(hint));
        let Ok(folder) = std::path::absolute(own.unwrap_or_else(|_| typed.to_owned())) else {
            return refused(format!("{} is no path", typed.display()), "write it from its beginning: /srv/backups");
        };
        if folder.to_str().is_none() {
            return refused(
                format!("the path {} is not valid UTF-8, which a settings file needs", folder.display()),
                "choose another folder",
            );
        }
        // A link to nothing is no folder either, and none can be made in its place.
        let is_there = folder.symlink_metadata().is_ok();
        match is_there && !folder.is_dir() {
            true => refused(format!("{} is not a folder", folder.display()), "choose another folder for the backups"),
            false => Ok(folder),
        }
    }

    /// The bucket of this name, or the stack's.
    fn bucket(&self, name: Option<&str>) -> Result<Lines, Failure> {
        let mut lines = match (self.stack, name) {
            (Some(stack), _) => stack.lines.clone(),
            (None, None) => return Ok(Lines::new()),
            (None, Some(name)) => vec![("BACKUP_S3_BUCKET".to_owned(), name.to_owned())],
        };
        let proposed = self.set("AWS_REGION").or_else(|| self.set("AWS_DEFAULT_REGION")).or_else(|| self.region());
        let region = match &self.args.region {
            _ if self.stack.is_some() => None,
            Some(region) => Some(region.clone()),
            None => Some(self.line("Its region", proposed.as_deref().unwrap_or("us-east-1"))?),
        };
        let endpoint = match &self.args.endpoint {
            Some(endpoint) => Some(endpoint.clone()),
            None => {
                ["BACKUP_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].iter().find_map(|name| self.set(name))
            }
        };
        let further =
            [("AWS_REGION", region), ("BACKUP_S3_PREFIX", self.args.prefix.clone()), ("BACKUP_S3_ENDPOINT", endpoint)];
        lines.extend(further.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        for (name, value) in &lines {
            if let Some(complaint) = complaint(name, value) {
                return Err(Failure::new(Exit::Usage, format!("{name}={value}: {complaint}"))
                    .hint("correct it: docs/settings.md says what each setting takes"));
            }
        }
        lines.extend(self.identity()?);
        Ok(lines)
    }
}
