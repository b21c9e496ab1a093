//! What backs up every night, and what did so until now.

use super::{Asker, say};
use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::Schedule;
use crate::commands::init::found::crontabs::Crontab;

impl Asker<'_> {
    /// The schedule, and the crontabs whose lines go for it, and the timers that are disabled. Where something stays that runs a backup,
    /// nothing else is scheduled.
    ///
    /// # Errors
    /// Exit 2 where the units are not here.
    pub(super) fn schedule(&self) -> Result<(Schedule, Vec<Crontab>, Vec<&'static str>), Failure> {
        let usual =
            if self.can_have_timers() && self.machine.runs_systemd { Schedule::Systemd } else { Schedule::Cron };
        let schedule = match self.args.schedule {
            Some(schedule) => schedule,
            None if self.may_ask() => self.asked_schedule(usual)?,
            None => usual,
        };
        match schedule {
            Schedule::Systemd if !self.can_have_timers() => {
                return Err(Failure::new(
                    Exit::Usage,
                    "the timers cannot be enabled: they are the package's, and need root",
                )
                .hint("install the package and run this with sudo, or choose --schedule cron"));
            }
            Schedule::None => return Ok((schedule, Vec::new(), Vec::new())),
            Schedule::Systemd | Schedule::Cron => {}
        }
        // Timers are what comes with systemd; another user than root can't disable any.
        let is_beside = schedule == Schedule::Cron && self.can_have_timers();
        let timers = if is_beside { self.found.timers.clone() } else { Vec::new() };
        for crontab in &self.found.crontabs {
            say(&format!("{} runs a backup already:", crontab.name()));
            crontab.own_lines().iter().for_each(|line| say(&format!("  {}", line.trim())));
        }
        if !timers.is_empty() {
            say(&format!("systemd runs a backup already: {} enabled", timers.join(", ")));
        }
        let question = match (self.found.crontabs.is_empty(), timers.is_empty()) {
            (true, true) => return Ok((schedule, Vec::new(), timers)),
            (true, false) => "Disable these timers?",
            (false, true) => "Replace these lines? Copies of the crontabs are kept",
            (false, false) => "Replace these lines, and disable the timers? Copies of the crontabs are kept",
        };
        // What would be done shows all of it.
        let is_shown = self.args.dry_run && !self.may_ask();
        match is_shown || self.agrees(question, false)? {
            true => Ok((schedule, self.found.crontabs.clone(), timers)),
            false => {
                say("They stay, and nothing else is scheduled: two schedules would back up twice.");
                Ok((Schedule::None, Vec::new(), Vec::new()))
            }
        }
    }

    fn can_have_timers(&self) -> bool {
        self.machine.has_units && self.machine.is_handed_over()
    }

    fn asked_schedule(&self, usual: Schedule) -> Result<Schedule, Failure> {
        let choices: &[(&str, Schedule)] = if self.can_have_timers() {
            &[("systemd", Schedule::Systemd), ("cron", Schedule::Cron), ("none", Schedule::None)]
        } else {
            &[("cron", Schedule::Cron), ("none", Schedule::None)]
        };
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let name = |wanted: Schedule| {
            choices.iter().find(|(_, schedule)| *schedule == wanted).map_or("cron", |(name, _)| *name)
        };
        loop {
            let question = format!("What backs up every night: {}", names.join(", "));
            let answer = prompt::line(&question, name(usual), self.interrupt)?;
            match choices.iter().find(|(name, _)| *name == answer) {
                Some((_, schedule)) => return Ok(*schedule),
                None => say(&format!("Choose one of {}.", names.join(", "))),
            }
        }
    }
}
