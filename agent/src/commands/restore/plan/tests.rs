//! Decisions, each with its golden: who restores × onto what × from which archive, and what flags change.

mod cases;
mod parts;

use std::fmt::Write as _;

use cases::{Case, archives, targets};

use super::decide;
use crate::answers::failure::Failure;
use crate::commands::restore::owners;
use crate::commands::restore::plan::Plan;
use crate::commands::restore::plan::filling::Filling;

/// What was decided, in the words that a person sees and the parts that nobody sees.
fn decided(case: &Case) -> String {
    let mut facts = case.facts.clone();
    facts.database_owner = owners::of_database(&facts.head, &facts.target, &facts.roles);
    match decide(&case.wish, &facts) {
        Ok(plan) => shown(&plan),
        Err(Failure { exit, error, hint }) => {
            let hint = hint.map_or(String::new(), |hint| format!("hint: {hint}\n"));
            format!("refused, exit {}\nerror: {error}\n{hint}", exit.code())
        }
    }
}

fn shown(plan: &Plan) -> String {
    let filling = match &plan.filling {
        Filling::Stream => "one pg_restore, as the archive is read".to_owned(),
        Filling::SideBySide { jobs, folder } => {
            format!("{jobs} pg_restore side by side, rows wait in {}", folder.display())
        }
        Filling::GoingOn { .. } => "one pg_restore after the other, behind what fails".to_owned(),
        Filling::Script => "pg_restore's script, in psql".to_owned(),
    };
    let owners = if plan.owners_kept { "kept" } else { "left out where the warnings say so" };
    // Backup, origin and what is replaced are the same in all cases.
    let plan: String = plan.to_string().lines().skip(3).map(|line| format!("{line}\n")).collect();
    format!("{plan}filling   {filling}\nowners    {owners}\n")
}

fn table(cases: impl IntoIterator<Item = (String, Case)>) -> String {
    let mut table = String::new();
    for (name, case) in cases {
        // Writing into a String cannot fail.
        let _ = writeln!(table, "── {name}\n{}", decided(&case));
    }
    table
}

#[test]
fn who_restores_and_onto_what() {
    let roles = cases::roles();
    let cases = roles.iter().flat_map(|(who, role)| {
        targets().into_iter().map(move |(what, target)| (format!("{who}, {what}"), target.with_role(role.clone())))
    });
    insta::assert_snapshot!("roles-and-targets", table(cases));
}

#[test]
fn from_which_archive() {
    let cases = archives().into_iter().chain(parts::archives()).flat_map(|(archive, facts)| {
        [("by swap", facts.clone()), ("in place", facts.clone().in_place()), ("database gone", facts.gone())]
            .map(|(way, case)| (format!("{archive}, {way}"), case))
    });
    insta::assert_snapshot!("archives", table(cases));
}

#[test]
fn what_flags_change() {
    insta::assert_snapshot!("flags", table(cases::flags::cases()));
}

#[test]
fn what_stands_in_the_way_of_a_restore_in_place() {
    insta::assert_snapshot!("obstacles", table(cases::living::obstacles()));
}

#[test]
fn what_the_archive_needs_is_named_before_anything_starts() {
    insta::assert_snapshot!("needs", table(cases::needs::cases()));
}

#[test]
fn names_without_schemas_are_refused_where_they_are_evaluated() {
    insta::assert_snapshot!("search-path", table(cases::search_path::cases()));
}

#[test]
fn a_plan_reads_like_this() {
    let plan = decide(&Case::usual().wish, &Case::usual().facts).unwrap();
    insta::assert_snapshot!("a-plan", plan.to_string());
    let document = crate::commands::restore::plan::shown::PlanDocument::from(&plan);
    insta::assert_snapshot!("a-plan-as-json", serde_json::to_string_pretty(&document).unwrap());
}
