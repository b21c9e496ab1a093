//! What stands: everything that is wrong by what one run has found, and news that are told once. Each has a name, by which the
//! next run knows that it was told.

use catalog::freshness::{Finding, Remedy};
use catalog::words::{self, shell_word};
use jiff::{SignedDuration, Timestamp};

use super::found::{Found, finished, lateness};
use super::limits::Limits;
use crate::findings::{Gauge, OpenShrink, Standing, Trouble};

/// A retirement is news for so long; later nobody needs to hear of it.
const NEWS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What stands in the repository of this name, the worst first.
pub(super) fn of(found: &Found, limits: &Limits, repository: &str, now: Timestamp) -> Vec<Standing> {
    let gauges = &found.measured.gauges;
    let each = |of: &dyn Fn(&Gauge) -> Option<Standing>| gauges.iter().filter_map(of).collect::<Vec<_>>();
    let groups = [
        Vec::from_iter(nobody(found, repository)),
        each(&trouble),
        each(&stale),
        each(&lost),
        each(&|gauge| shrunken(gauge, limits.min_ratio)),
        each(&|gauge| emptied(gauge, limits.min_ratio)),
        gauges.iter().flat_map(lost_rows).collect(),
        watchers(found, limits, now),
        each(&drill),
        Vec::from_iter(deaf(found)),
        found.measured.unmarked.iter().map(|database| unmarked(database)).collect(),
        found.measured.retired.iter().filter_map(|(database, at)| retired(database, *at, limits, now)).collect(),
        each(&|gauge| limited(gauge, limits, now)),
        vanished(found, now),
    ];
    groups.into_iter().flatten().collect()
}

impl Standing {
    fn new(code: String, text: String) -> Self {
        Self { code, text, commands: Vec::new(), stands: true, at_once: true }
    }

    fn command(mut self, sentence: &str, command: String) -> Self {
        self.commands.push([sentence.to_owned(), command]);
        self
    }

    /// Another message, or an alarm, tells it at once.
    fn told_elsewhere(self) -> Self {
        Self { at_once: false, ..self }
    }
}

/// Nobody has ever backed up.
fn nobody(found: &Found, repository: &str) -> Option<Standing> {
    let is_empty = found.measured.gauges.is_empty() && found.measured.retired.is_empty();
    let text = format!("no database has ever been backed up to {repository}");
    let nobody = Standing::new("nobody".to_owned(), text);
    is_empty
        .then(|| nobody.command("See on its host whether the backup runs, and where to:", "lastgood backup".to_owned()))
}

fn trouble(gauge: &Gauge) -> Option<Standing> {
    let trouble = gauge.trouble.as_ref()?;
    if matches!(trouble, Trouble::Waits(_)) {
        let text = format!("database `{}` counts as never backed up for the moment: {trouble}", gauge.database);
        return Some(Standing::new(format!("waits/{}", gauge.database), text));
    }
    let text = format!("nothing is known of database `{}`, which counts as never backed up: {trouble}", gauge.database);
    let command = format!("lastgood expect {}", shell_word(&gauge.database));
    let trouble = Standing::new(format!("trouble/{}", gauge.database), text);
    Some(trouble.command("To mark it again, when you know why:", command))
}

fn stale(gauge: &Gauge) -> Option<Standing> {
    let finding = gauge.finding.as_ref().filter(|_| gauge.trouble.is_none())?;
    let stale = Standing::new(format!("stale/{}", gauge.database), finding.to_string());
    Some(stale.command("See its backups:", list(&gauge.database)))
}

/// Each of these backups is told by itself, with what was found.
fn lost(gauge: &Gauge) -> Option<Standing> {
    let count = words::count(gauge.lost as u64, "backup");
    let text = format!("database `{}` has {count} damaged, gone or changed, and no good one since", gauge.database);
    let lost =
        Standing::new(format!("lost/{}", gauge.database), text).command("See its backups:", list(&gauge.database));
    (gauge.lost > 0).then(|| lost.told_elsewhere())
}

fn shrunken(gauge: &Gauge, min_ratio: f64) -> Option<Standing> {
    let (proof, good) = (gauge.proof?, gauge.newest_good.as_ref()?);
    let size = words::size(proof.size);
    let text = match (gauge.min_size.filter(|_| gauge.is_too_small()), gauge.size_ratio()) {
        (Some(least), _) => {
            format!("the newest good backup {} has {size}, less than {}", good.name, words::size(least))
        }
        (None, Some(ratio)) if ratio < min_ratio => {
            let before = words::size(proof.extent?.median_bytes?);
            format!("the newest good backup {} has {size}, where those before it had {before}", good.name)
        }
        _ => return None,
    };
    let shrunken = Standing::new(format!("shrunken/{}/{}", gauge.database, good.name), text);
    Some(
        shrunken
            .command("See what is in it, and compare it with the one before:", format!("lastgood show {}", good.name)),
    )
}

fn emptied(gauge: &Gauge, min_ratio: f64) -> Option<Standing> {
    let (extent, good) = (gauge.proof?.extent?, gauge.newest_good.as_ref()?);
    // Its tables are named instead.
    if gauge.shrinks.iter().any(|open| open.backup.to_string().ends_with(&good.name)) {
        return None;
    }
    gauge.row_ratio().filter(|ratio| *ratio < min_ratio)?;
    let [rows, before] = [extent.rows, extent.median_rows?].map(words::grouped);
    let text = format!("the newest good backup {} has {rows} rows, where those before it had {before}", good.name);
    let emptied = Standing::new(format!("emptied/{}/{}", gauge.database, good.name), text);
    Some(emptied.command("See which tables lost them:", format!("lastgood show {}", good.name)))
}

/// Backups in which tables have lost rows, until a person says that this is right. The same kind of thing as `emptied`, by its tables.
fn lost_rows(gauge: &Gauge) -> Vec<Standing> {
    let one = |open: &OpenShrink| {
        let backup = &open.backup;
        let what =
            open.shrink.as_ref().map_or_else(|| "what exactly can't be read".to_owned(), |shrink| shrink.in_words());
        let kept = match open.kept {
            0 => "backups from before it stay".to_owned(),
            kept => format!("{} from before it would go, and stay", words::count(kept, "backup")),
        };
        let until = words::minute(open.until);
        let text = format!("the backup {} has lost rows: {what}; {kept} until {until}", backup.stem);
        let name = shell_word(&backup.to_string());
        Standing::new(format!("emptied/{}/{}", gauge.database, backup.stem), text)
            .command("See what changed:", format!("lastgood diff {name}~1 {name}"))
            .command("If that is right:", format!("lastgood accept {name}"))
    };
    gauge.shrinks.iter().map(one).collect()
}

/// A restore that wasn't proved for too long, or proved wrong. Where drills aren't asked for, it is told once. Each that fails is
/// news, whatever was told before.
fn drill(gauge: &Gauge) -> Option<Standing> {
    let (database, finding) = (&gauge.database, gauge.drilled.finding.as_ref()?);
    let code = match finding {
        Finding::DrillFailed { finished, .. } => format!("drill/{database}/{finished}"),
        _ => format!("drill/{database}"),
    };
    let stands = gauge.drilled.unproved.is_some();
    let drill = Standing { stands, ..Standing::new(code, finding.to_string()) };
    let again = format!("lastgood drill latest --database {}", shell_word(database));
    Some(match finding {
        Finding::DrillFailed { backup, .. } => drill
            .command("See what differs:", format!("lastgood show {}", shell_word(backup)))
            .command("If that backup is gone, or when its cause is mended:", again),
        Finding::DrillUnknown { remedy: Remedy::Wait, .. } => drill,
        Finding::DrillUnknown { remedy: Remedy::Upgrade, .. } => {
            Standing { text: format!("{finding}; update the AWS stack"), ..drill }
        }
        _ => drill.command("Restore it somewhere, and compare:", again),
    })
}

/// Whether nobody can tell now if this still is so, because nothing is known of its database: what was told is not over then.
pub(super) fn is_withheld(code: &str, gauges: &[Gauge]) -> bool {
    let kinds = ["stale/", "lost/", "shrunken/", "emptied/", "limits/", "drill/"];
    let Some(about) = kinds.iter().find_map(|kind| code.strip_prefix(kind)) else { return false };
    let is_about = |gauge: &Gauge| {
        about.strip_prefix(gauge.database.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    gauges.iter().filter(|gauge| gauge.trouble.is_some()).any(is_about)
}

/// The watchers that nobody else watches.
fn watchers(found: &Found, limits: &Limits, now: Timestamp) -> Vec<Standing> {
    let runs = [
        ("sweep", "the daily sweep, which finds what changed behind everyone's back,", &found.measured.sweep),
        ("prune", "the daily run of retention", &found.measured.prune),
    ];
    let mut standing = Vec::new();
    for (code, what, run) in runs {
        if lateness(run.as_ref(), found.since, now) > 1.0 {
            let last = run.as_ref().and_then(finished).map_or_else(
                || "has never come to its end".to_owned(),
                |finished| format!("came to its end {} the last time", words::age(now.duration_since(finished))),
            );
            standing.push(Standing::new(code.to_owned(), format!("{what} {last}")));
        }
        let said = run.iter().flat_map(|run| &run.standing);
        standing.extend(said.map(|text| Standing::new(format!("{code}/{text}"), text.clone()).told_elsewhere()));
    }
    let oldest = found.measured.sweep.as_ref().and_then(|sweep| sweep.oldest_verdict);
    if let Some(age) = oldest.map(|oldest| now.duration_since(oldest)).filter(|age| *age > limits.rereading) {
        let text = format!("a good backup was read back {} the last time: reading again lags behind", words::age(age));
        standing.push(Standing::new("unverified".to_owned(), text));
    }
    standing
}

/// A message would reach nobody, so `check` says it on the host.
fn deaf(found: &Found) -> Option<Standing> {
    let listeners = found.listeners.filter(|listeners| listeners.confirmed == 0)?;
    if found.heard_elsewhere && listeners.unconfirmed == 0 {
        return None;
    }
    let text = match listeners.unconfirmed {
        0 => "nobody gets the alarms: the topic has no subscription".to_owned(),
        asked => format!("nobody gets the alarms: {} not confirmed", words::count(asked, "subscription")),
    };
    Some(Standing::new("deaf".to_owned(), text).told_elsewhere())
}

fn unmarked(database: &str) -> Standing {
    let text =
        format!("backups of database `{database}` come, but nothing says that they should: nobody would miss them");
    let command = format!("lastgood expect {}", shell_word(database));
    Standing::new(format!("unmarked/{database}"), text).command("To be told when they stop coming:", command)
}

fn retired(database: &str, at: Timestamp, limits: &Limits, now: Timestamp) -> Option<Standing> {
    let text = format!(
        "database `{database}` was retired by hand on {}: its backups are not missed any more",
        words::minute(at)
    );
    let news = Standing { stands: false, ..Standing::new(format!("retired/{database}/{at}"), text) };
    is_news(at, limits, now).then_some(news)
}

/// Whether people may not have heard of it. What comes from another account may bear any time: it is told once, whenever it came.
fn is_news(at: Timestamp, limits: &Limits, now: Timestamp) -> bool {
    limits.distrusts_marks || now.duration_since(at) <= NEWS
}

/// Whoever marks a database first may do so with any limits, and the agent may.
fn limited(gauge: &Gauge, limits: &Limits, now: Timestamp) -> Option<Standing> {
    let own = gauge.own.filter(|own| is_news(own.set, limits, now))?;
    let age = own.max_age_hours.map(|hours| {
        let age = words::span(SignedDuration::from_hours(hours.into()));
        format!("its newest good backup may be {age} old")
    });
    let size = own.min_size.map(|size| format!("a good backup has at least {}", words::size(size)));
    let what = age.into_iter().chain(size).collect::<Vec<_>>().join(", and ");
    let text = format!("database `{}` got limits of its own on {}: {what}", gauge.database, words::minute(own.set));
    let code = format!("limits/{}/{:?}/{:?}", gauge.database, own.max_age_hours, own.min_size);
    let news = Standing { stands: false, ..Standing::new(code, text) };
    let command = format!("lastgood expect {} --max-age 26h", shell_word(&gauge.database));
    Some(news.command("If nobody meant that, set others:", command))
}

/// Backups that somebody removed, and not retention.
fn vanished(found: &Found, now: Timestamp) -> Vec<Standing> {
    let all = found.measured.prune.iter().flat_map(|run| &run.vanished);
    let news = all.filter(|vanished| now.duration_since(vanished.noticed) <= NEWS).map(|vanished| {
        let backups = words::count(vanished.backups as u64, "backup");
        let text = format!(
            "{backups} of database `{}` {} removed, and not by retention: by lastgood prune, by hand or by another program, noticed on {}",
            vanished.database,
            if vanished.backups == 1 { "was" } else { "were" },
            words::minute(vanished.noticed)
        );
        let code = format!("vanished/{}/{}", vanished.database, vanished.noticed);
        let news = Standing { stands: false, ..Standing::new(code, text) };
        news.command("See what is left:", list(&vanished.database))
    });
    news.collect()
}

fn list(database: &str) -> String {
    format!("lastgood list --database {}", shell_word(database))
}
