//! The last screen: what was written, what runs when, and what to run next.

use std::fmt;
use std::path::PathBuf;

use catalog::words;
use serde::Serialize;

use super::backed_up::First;
use super::machine::Machine;
use super::planned::{Plan, TARGET};
use super::role::LIMITS;
use super::scheduled::Replaced;
use super::weekly::Weekly;
use crate::cli::Schedule;

/// A command to run next, and what it does.
struct Next {
    command: String,
    what: &'static str,
}

/// The next commands.
fn next(plan: &Plan) -> Vec<Next> {
    let own = if plan.target.as_os_str() == TARGET {
        String::new()
    } else {
        format!(" --env-file {}", words::shell_word(&plan.target.display().to_string()))
    };
    let mut next =
        vec![Next { command: format!("lastgood{own} status"), what: "show the last good backup, and what is wrong" }];
    let into = words::shell_word(&format!("{}_copy", plan.name));
    let restore = format!("lastgood{own} restore latest --into {into}");
    if plan.is_roots {
        next.push(Next {
            command: postgres::ROOTS_ROLE.to_owned(),
            what: "once: let root restore, who is let in by the same name",
        });
        let as_root = if plan.names_role { "DB_USER=root " } else { "" };
        next.push(Next { command: format!("{as_root}{restore}"), what: "restore it beside the old database" });
    } else {
        let what = "restore it beside the old database, as a role that may create databases";
        next.push(Next { command: restore, what });
    }
    if plan.timers.contains(&"lastgood-drill.timer") {
        let command = "systemctl start lastgood-drill".to_owned();
        next.push(Next { command, what: "restore it on a private server and compare it now, as every week" });
    }
    next
}

/// `lastgood init --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InitAnswer {
    dry_run: bool,
    database: String,
    places: Vec<String>,
    settings_file: PathBuf,
    /// The role that was made or changed.
    role: Option<String>,
    /// Files of systemd's that were written.
    drop_ins: Vec<PathBuf>,
    /// `null` with `--dry-run`.
    backup: Option<First>,
    /// `systemd`, `cron` or `none`.
    schedule: &'static str,
    timers: Vec<&'static str>,
    /// Lines that are to be put into a crontab, where they were not put there.
    cron_lines: Vec<String>,
    replaced: Vec<Replaced>,
    /// Why no drill is scheduled; `null` where one is.
    no_drill: Option<String>,
    #[serde(skip)]
    drill_remedy: Option<String>,
    /// The policy of the AWS stack to attach.
    policy_arn: Option<String>,
    /// Commands to run next.
    #[serde(serialize_with = "commands")]
    next: Vec<Next>,
    #[serde(skip)]
    nightly: String,
    #[serde(skip)]
    text: String,
}

impl InitAnswer {
    /// With what came of it; without, what would be done.
    pub(super) fn new(
        plan: &Plan,
        machine: &Machine,
        first: Option<First>,
        (weekly, replaced): (Weekly, Vec<Replaced>),
    ) -> Self {
        let are_in_crontab = replaced.iter().any(|one| one.has_new);
        Self {
            dry_run: first.is_none(),
            database: plan.database.clone(),
            places: plan.places.clone(),
            settings_file: plan.target.clone(),
            role: plan.role.as_ref().map(|role| role.name.clone()),
            drop_ins: plan.drop_ins.iter().map(|(path, _)| path.clone()).collect(),
            backup: first,
            schedule: match plan.schedule {
                Schedule::Systemd => "systemd",
                Schedule::Cron => "cron",
                Schedule::None => "none",
            },
            timers: plan.timers.clone(),
            cron_lines: if are_in_crontab {
                Vec::new()
            } else {
                plan.cron_lines.iter().map(|line| line.text(None)).collect()
            },
            replaced,
            no_drill: weekly.missing(),
            drill_remedy: weekly.remedy(plan),
            policy_arn: plan.policy.clone(),
            next: next(plan),
            nightly: machine.nightly.name.clone(),
            text: plan.to_string(),
        }
    }
}

impl fmt::Display for InitAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = &self.backup else {
            write!(f, "{}", self.text)?;
            self.by_hand(f)?;
            return write!(f, "nothing was written (--dry-run)");
        };
        let known = [(first.tables, "table"), (first.rows, "row")];
        let known: Vec<String> = known.iter().filter_map(|(count, noun)| Some(words::count((*count)?, noun))).collect();
        let contents = if known.is_empty() { String::new() } else { format!(", {}", known.join(", ")) };
        writeln!(f, "{}: {} ({}{contents})", first.state, first.id, words::size(first.size))?;
        writeln!(f, "  from {}", self.database)?;
        self.places.iter().try_for_each(|place| writeln!(f, "  to {place}"))?;
        writeln!(f, "  {:.1} seconds after the start", first.seconds)?;
        writeln!(f, "\nwritten: {}", self.settings_file.display())?;
        self.drop_ins.iter().try_for_each(|path| writeln!(f, "         {}", path.display()))?;
        if self.role.is_some() {
            let role = self.role.as_deref().unwrap_or_default();
            let (can, needs) = LIMITS.split_once(": ").unwrap_or((LIMITS, ""));
            writeln!(f, "\nthe role {role} can log in and read everything;\n  {can}:\n  {needs}")?;
        }
        for Replaced { crontab, copy, lines, .. } in &self.replaced {
            let lines = words::count(lines.len() as u64, "line");
            writeln!(f, "{crontab} lost {lines}; a copy of it is {}", copy.display())?;
        }
        self.by_night(f)?;
        self.by_hand(f)?;
        writeln!(f, "\nnext:")?;
        let told = self.next.iter().map(|Next { command, what }| format!("  {command}\n      {what}"));
        write!(f, "{}", told.collect::<Vec<_>>().join("\n"))
    }
}

fn commands<S: serde::Serializer>(next: &[Next], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(next.iter().map(|next| &next.command))
}

impl InitAnswer {
    fn by_night(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.timers.is_empty(), self.schedule) {
            (false, _) => writeln!(f, "enabled: {}", self.timers.join(", "))?,
            (true, "none") => writeln!(f, "nothing new runs at night")?,
            (true, _) => {}
        }
        if let Some((why, remedy)) = self.no_drill.as_ref().zip(self.drill_remedy.as_ref()) {
            writeln!(f, "\nno drill every week: {why}\n  {remedy}")?;
        }
        Ok(())
    }

    /// What is left to do.
    fn by_hand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.cron_lines.is_empty() {
            writeln!(f, "\nput these lines into {}'s crontab (crontab -e -u {}):", self.nightly, self.nightly)?;
            self.cron_lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        }
        if let Some(policy) = &self.policy_arn {
            writeln!(f, "\nattach this policy to who stores the backups: {policy}")?;
            writeln!(f, "lastgood policy prints a narrower one, for this database alone")?;
        }
        Ok(())
    }
}
