//! What `check` answers monitoring systems, each in its own form.
//!
//! - Prometheus: the text format, for node_exporter's textfile collector
//!   (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//! - Nagios, Icinga, Zabbix and others: a plugin's line, figures and exit status
//!   (<https://www.monitoring-plugins.org/doc/guidelines.html>).
//! - Influx, Telegraf: the line protocol (<https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>).

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;

use crate::all_at_once;
use crate::answers::failure::{Exit, Failure};
use crate::answers::report::{self, printable};
use crate::cli::Format;
use crate::commands::check::answer::{CheckAnswer, Health};
use crate::commands::check::elsewhere::UNHELD;

/// One kind of figure: its name, what it means, and what it is for a database.
struct Figure {
    name: &'static str,
    help: &'static str,
    of: fn(&Health) -> Option<f64>,
}

/// Ages are given as the instants that they are counted from: those stay true until the next run.
const FIGURES: [Figure; 10] = [
    Figure {
        name: "lastgood_healthy",
        help: "Whether check found nothing wrong with the backups of the database.",
        of: |health| Some(f64::from(u8::from(health.healthy))),
    },
    Figure {
        name: "lastgood_retired",
        help: "Whether the database is marked as no longer backed up.",
        of: |health| Some(f64::from(u8::from(health.retired.is_some()))),
    },
    Figure {
        name: "lastgood_findings",
        help: "How many things are wrong with the backups of the database.",
        of: |health| Some(health.findings.len() as f64),
    },
    Figure {
        name: "lastgood_newest_good_timestamp_seconds",
        help: "When the newest good backup was made.",
        of: |health| Some(health.newest_good.as_ref()?.instant.as_second() as f64),
    },
    Figure {
        name: "lastgood_max_age_seconds",
        help: "How old the newest good backup may be.",
        of: |health| Some(health.max_age.as_secs() as f64),
    },
    Figure {
        name: "lastgood_newest_good_size_bytes",
        help: "Size of the archive of the newest good backup.",
        of: |health| Some(health.newest_good.as_ref()?.size as f64),
    },
    Figure {
        name: "lastgood_good_backups",
        help: "Good backups that were seen; counting stops at the required number.",
        of: |health| Some(health.good as f64),
    },
    Figure {
        name: "lastgood_oldest_verdict_timestamp_seconds",
        help: "When the backup was read back whose last verification is the oldest.",
        of: |health| Some(health.oldest_verdict.as_ref()?.verified.as_second() as f64),
    },
    Figure {
        name: "lastgood_drill_passed",
        help: "Whether the last drill passed.",
        of: |health| Some(f64::from(u8::from(health.drill.as_ref()?.passed))),
    },
    Figure {
        name: "lastgood_drill_passed_timestamp_seconds",
        help: "When a drill last passed.",
        of: |health| Some(health.drill.as_ref()?.last_passed?.as_second() as f64),
    },
];

/// Of no database, and so without a label.
const HEALTHY: &str = "lastgood_check_healthy";
const HEALTHY_HELP: &str =
    "Whether check found backups at all, and nothing wrong with those of any database nor with the AWS stack.";

/// Gives the answer in this form: to a file, all at once, or to stdout. Decides the exit status.
///
/// # Errors
/// Exit 1 when the file or stdout can't be written.
pub(super) fn give(format: Format, output: Option<&Path>, answer: &CheckAnswer) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let (text, exit) = match format {
        Format::Prometheus => (prometheus(answer, now), None),
        Format::Influx => (influx(answer, now), None),
        Format::Nagios => (nagios(answer), Some(plugin(Status::of(answer)))),
    };
    match output {
        None => report::print(text.trim_end())?,
        Some(path) => write(path, &text)?,
    }
    Ok(exit.unwrap_or(if answer.is_healthy() { Exit::Done } else { Exit::Unhealthy }))
}

/// What a plugin says that could not look.
///
/// # Errors
/// As [`give`].
pub(crate) fn unknown(failure: &Failure) -> Result<Exit, Failure> {
    let one_line = failure.to_string().replace('\n', "; ").replace('|', "/");
    report::print(&format!("LASTGOOD UNKNOWN - {}", printable(&one_line)))?;
    Ok(plugin(Status::Unknown))
}

/// The state that a plugin tells.
enum Status {
    Fine,
    Warning,
    Critical,
    Unknown,
}

impl Status {
    fn of(answer: &CheckAnswer) -> Self {
        match () {
            () if !answer.is_healthy() => Self::Critical,
            () if answer.databases.iter().any(Health::is_worth_a_warning) => Self::Warning,
            () => Self::Fine,
        }
    }
}

/// The plugins' exit statuses are 0 to 3, whatever the same numbers mean elsewhere.
fn plugin(status: Status) -> Exit {
    match status {
        Status::Fine => Exit::Done,
        Status::Warning => Exit::Failed,
        Status::Critical => Exit::Usage,
        Status::Unknown => Exit::Locked,
    }
}

fn prometheus(answer: &CheckAnswer, now: Timestamp) -> String {
    let mut text = String::new();
    for Figure { name, help, of } in &FIGURES {
        let values = answer.databases.iter().filter_map(|health| Some((health, of(health)?)));
        let values: Vec<_> = values.collect();
        if values.is_empty() {
            continue;
        }
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (health, value) in values {
            let _ = writeln!(text, "{name}{{database=\"{}\"}} {value}", label(&health.database));
        }
    }
    let healthy = u8::from(answer.is_healthy());
    let _ = writeln!(text, "# HELP {HEALTHY} {HEALTHY_HELP}\n# TYPE {HEALTHY} gauge\n{HEALTHY} {healthy}");
    let _ = writeln!(
        text,
        "# HELP lastgood_check_timestamp_seconds When check last ran to its end.\n# TYPE lastgood_check_timestamp_seconds gauge\n\
         lastgood_check_timestamp_seconds {}",
        now.as_second()
    );
    text
}

/// A label's value: backslash, quote and line end are escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn influx(answer: &CheckAnswer, now: Timestamp) -> String {
    let mut text = String::new();
    for health in &answer.databases {
        let mut fields = Vec::new();
        for Figure { name, of, .. } in &FIGURES {
            if let Some(value) = of(health) {
                fields.push(format!("{}={value}", name.trim_start_matches("lastgood_")));
            }
        }
        let _ =
            writeln!(text, "lastgood,database={} {} {}", tag(&health.database), fields.join(","), now.as_nanosecond());
    }
    let _ = writeln!(text, "lastgood_check healthy={} {}", u8::from(answer.is_healthy()), now.as_nanosecond());
    text
}

/// A tag's value: comma, equals sign, space and backslash are escaped. A line end can't be.
fn tag(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push_str("\\ "),
            ',' | '=' | ' ' | '\\' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn nagios(answer: &CheckAnswer) -> String {
    let words = answer.to_string();
    let (first, rest) = words.trim_end().split_once('\n').unwrap_or((words.trim_end(), ""));
    let state = |word: &str, instead: &str| first.strip_prefix(word).map(|said| format!("{instead}{said}"));
    let first = state("UNHEALTHY:", "CRITICAL -").or_else(|| state("HEALTHY:", "OK -")).unwrap_or_default();
    let mut notes = rest.lines().filter(|line| line.starts_with("note: ") && !line.contains(UNHELD));
    let first = match notes.next() {
        Some(note) if matches!(Status::of(answer), Status::Warning) => {
            format!("{}; {note}", first.replacen("OK -", "WARNING -", 1))
        }
        _ => first,
    };
    // What follows a bar is figures.
    let mut text = format!("LASTGOOD {}", printable(&first).replace('|', "/"));
    let figures: Vec<String> = answer.databases.iter().flat_map(figures).collect();
    if !figures.is_empty() {
        let _ = write!(text, " | {}", figures.join(" "));
    }
    for line in rest.lines().filter(|line| !line.is_empty()) {
        let _ = write!(text, "\n{}", printable(line).replace('|', "/"));
    }
    text
}

/// A database's figures as a plugin gives them: `'label'=value[unit]`.
fn figures(health: &Health) -> Vec<String> {
    let Some(newest) = &health.newest_good else { return Vec::new() };
    let name = health.database.replace('\'', "''").replace(|c: char| c.is_control() || "=|".contains(c), "_");
    let (age, size, good) = (newest.age_seconds.max(0), newest.size, health.good);
    vec![format!("'{name} age'={age}s"), format!("'{name} size'={size}B"), format!("'{name} good'={good}")]
}

/// Writes a file all at once: whoever reads it meanwhile sees the old one.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let refused = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("cannot write {}: {error}", path.display()))
            .hint("choose a file in a folder that you may write to")
    };
    // Another user's collector reads it.
    all_at_once::write(path, text, 0o644).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_each_form_wants_it() {
        assert_eq!(label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
        assert_eq!(tag("a b,c=d\\e\nf"), "a\\ b\\,c\\=d\\\\e\\ f");
    }

    #[test]
    fn a_plugin_that_could_not_look_is_none_of_the_other_states() {
        let exits =
            [Status::Fine, Status::Warning, Status::Critical, Status::Unknown].map(|status| plugin(status).code());
        assert_eq!(exits, [0, 1, 2, 3]);
    }
}
