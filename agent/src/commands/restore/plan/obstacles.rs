//! What a restore in place would run into, found before it starts: what stays, what depends on what is replaced, what belongs to
//! somebody else, what cannot be done in a transaction, and how many locks it takes.

use catalog::words;
use postgres::database::live::Role;
use postgres::database::objects::Objects;
use postgres::database::undumpable::Undumpable;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::head::Head;
use crate::commands::restore::plan::replacement::Replacement;

/// How many names a warning spells out.
const NAMED: usize = 5;

/// What is replaced needs a way back, which the role could not make. Empty where none is wished for. `swaps`: a restore by swap is
/// possible.
///
/// # Errors
/// Exit 1, naming the first things that it may not read.
pub(super) fn refuse_without_safety(undumpable: &Undumpable, swaps: bool) -> Result<(), Failure> {
    if undumpable.is_empty() {
        return Ok(());
    }
    let named = words::first_of(undumpable.names(), NAMED, ", ");
    let error = format!("no safety backup can be made: the role {} may not read {named}", undumpable.role());
    let otherwise = if swaps { "restore by swap, without --in-place; or " } else { "" };
    Err(Failure::new(Exit::Failed, error).hint(format!(
        "{otherwise}--skip-backup restores without a way back; or, as a superuser: {}",
        undumpable.exact_remedy()
    )))
}

/// What stands in the way, and what is only worth knowing.
#[derive(Debug, Default)]
pub(crate) struct Obstacles {
    /// Each of them makes the restore fail.
    blocking: Vec<String>,
    /// The server hasn't room for the locks: why, and the setting with which it has.
    locks: Option<(String, u64)>,
    pub(crate) warnings: Vec<String>,
}

impl Obstacles {
    /// What stands in the way of replacing the live database's content with the archive's.
    pub(crate) fn of(facts: &Facts, objects: &Objects) -> Self {
        let (head, role) = (&facts.head, &facts.target.role);
        let replacement = Replacement::of(head, objects, role);
        let mut obstacles = Self { blocking: replacement.blocking, locks: None, warnings: replacement.warnings };
        obstacles.outside_of_transactions(head);
        let large_objects = facts.backup.manifest.as_ref().map_or(0, |m| m.census.large_objects.count);
        obstacles.take_locks(replacement.locks, about(head, large_objects), role);
        obstacles
    }

    /// Fails when something would make the restore fail. `asked_for`: in place is what was asked for; `no_swap`: why nothing else
    /// is possible, if it is so.
    ///
    /// # Errors
    /// Exit 1, naming the first obstacles.
    pub(crate) fn refuse(&self, asked_for: bool, no_swap: Option<&str>) -> Result<(), Failure> {
        let why =
            no_swap.filter(|_| !asked_for).map_or(String::new(), |because| format!(" (in place because {because})"));
        if self.blocking.is_empty() {
            return self.refuse_locks(&why, no_swap.is_none());
        }
        let shown = words::first_of(&self.blocking, NAMED, ", ");
        let hint = match no_swap {
            None => "restore by swap, without --in-place: none of this is in its way; or remove it first",
            Some(_) => {
                "restore as a role that owns the database and may create databases, or as a superuser (set DB_USER); or remove it first"
            }
        };
        Err(Failure::new(Exit::Failed, format!("a restore in place would fail{why}: {shown}")).hint(hint))
    }

    fn outside_of_transactions(&mut self, head: &Head) {
        let subscriptions = head.entries("SUBSCRIPTION");
        self.blocking.extend(
            subscriptions.map(|entry| format!("subscription {} cannot be dropped in a transaction", entry.name)),
        );
    }

    fn refuse_locks(&self, why: &str, swaps: bool) -> Result<(), Failure> {
        let Some((locks, setting)) = &self.locks else { return Ok(()) };
        let otherwise = if swaps { "restore by swap, without --in-place; or, " } else { "" };
        Err(Failure::new(Exit::Failed, format!("a restore in place would fail{why}: {locks}")).hint(format!(
            "{otherwise}as a superuser: ALTER SYSTEM SET max_locks_per_transaction = {setting}, and restart the server"
        )))
    }

    /// `least`: what it takes for sure; `about`: what it may take.
    fn take_locks(&mut self, least: u64, about: u64, role: &Role) {
        let about = about.max(least);
        if least > role.locks_at_most() {
            let room = role.locks();
            let why =
                format!("it takes at least {least} locks in one transaction, and the server is set to hold {room}");
            self.locks = Some((why, role.locks_setting_for(about)));
        } else if about > role.locks() {
            self.warnings.push(format!(
                "about {about} locks are needed and the server has room for {}: if it runs out of them, nothing is lost; raise \
                 max_locks_per_transaction and restore again",
                role.locks()
            ));
        }
    }
}

/// Every relation that is dropped or made is locked until the end, and every large object; a table has a TOAST table with
/// its index beside it.
fn about(head: &Head, large_objects: u64) -> u64 {
    let of = |entry: &archive::Entry| match entry.kind.as_str() {
        "TABLE" | "MATERIALIZED VIEW" => 6,
        "INDEX" | "CONSTRAINT" | "SEQUENCE" | "VIEW" | "FOREIGN TABLE" => 2,
        "TABLE DATA" | "COMMENT" | "ACL" | "SEQUENCE SET" => 0,
        _ => 1,
    };
    head.contents.iter().map(of).sum::<u64>().saturating_add(large_objects.saturating_mul(2))
}
