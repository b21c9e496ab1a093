//! How the demo is told: what is done, the command that does it, and what it prints.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use e2e::agent::{Agent, Outcome};
use e2e::postgres::Database;

/// A story in acts.
pub(crate) struct Story {
    acts: u32,
}

impl Story {
    pub(crate) fn new() -> Story {
        Story { acts: 0 }
    }

    pub(crate) fn title(&self, text: &str) {
        println!("\n{text}\n{}", "=".repeat(text.chars().count()));
    }

    pub(crate) fn act(&mut self, text: &str) {
        self.acts += 1;
        let text = format!("{}. {text}", self.acts);
        println!("\n{text}\n{}\n", "-".repeat(text.chars().count()));
    }

    pub(crate) fn say(&self, text: &str) {
        println!("{text}");
    }

    /// What something printed.
    pub(crate) fn print(&self, text: &str) {
        for line in text.trim_end().lines() {
            println!("    {line}");
        }
    }

    pub(crate) fn command(&self, line: &str) {
        println!("  $ {line}");
    }

    /// Runs `lastgood`, which must do what it is asked for.
    pub(crate) fn run(&self, agent: &Agent, arguments: &[&str]) {
        let outcome = self.show(agent, arguments);
        let fine = outcome.code == Some(0);
        check(fine, &format!("lastgood {} ended with {:?}", arguments.join(" "), outcome.code));
    }

    /// Runs `lastgood`, which must exit so and say this.
    pub(crate) fn run_expecting(&self, agent: &Agent, arguments: &[&str], (code, text): (i32, &str)) {
        let outcome = self.show(agent, arguments);
        check(outcome.code == Some(code), &format!("the exit status was {:?}", outcome.code));
        check(outcome.stdout.contains(text) || outcome.stderr.contains(text), &format!("nothing about {text}"));
        println!("    (exit status {code})\n");
    }

    fn show(&self, agent: &Agent, arguments: &[&str]) -> Outcome {
        self.command(&format!("lastgood {}", arguments.join(" ")));
        let outcome = agent.run(arguments);
        for line in outcome.stderr.lines().chain(outcome.stdout.lines()) {
            println!("    {line}");
        }
        println!();
        outcome
    }

    /// Says whether both databases dump to the same text, which is what "restored" means.
    pub(crate) fn compare(&self, what: &str, one: &Database<'_>, other: &Database<'_>) {
        let (one, other) = (one.as_sql(), other.as_sql());
        check(one == other, &format!("{what} differ"));
        println!("  {what}: equal, {} lines each.", one.lines().count());
    }

    /// The end, when every server has gone.
    pub(crate) fn end(&self, began: Instant, servers: &[u32]) -> ExitCode {
        let left: Vec<_> = servers.iter().filter(|pid| Path::new("/proc").join(pid.to_string()).exists()).collect();
        check(left.is_empty(), &format!("processes {left:?} are left"));
        println!(
            "\nAll of it was real, and all of it held: {:.0} s. Nothing of it is left running.",
            began.elapsed().as_secs_f64()
        );
        println!("Next: README.md, \"Install, and the first backup\".");
        ExitCode::SUCCESS
    }
}

/// The demo proves what it shows.
pub(crate) fn check(holds: bool, what: &str) {
    assert!(holds, "the demo failed: {what}");
}
