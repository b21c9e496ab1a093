//! One database: how it is, its year, what grows, what was proved, and the evidence.

use std::time::Duration;

use catalog::words;
use maud::{Markup, html};

use super::said::state;
use super::{calendar, chart, head};
use crate::data::{Backup, Database, Drill, Growing, Verified};
use crate::text::{name, sentence, shown};

/// How many drills have a row.
const DRILLS: usize = 12;

pub(super) fn section(one: &Database, place: usize, is_open: bool) -> Markup {
    html! {
        section.database id={ "d" (place) } aria-labelledby={ "h" (place) } {
            h2 id={ "h" (place) } { (name(&one.database)) " " (state(one)) }
            dl.facts { (facts(one)) }
            (calendar::calendar(&one.calendar, place))
            @if !one.sizes.is_empty() {
                h3 { "Size and rows" }
                (chart::sizes(&one.sizes))
            }
            (growing(&one.growing, place))
            (drills(&one.drills, place))
            (evidence(one, place, is_open))
        }
    }
}

fn facts(one: &Database) -> Markup {
    html! {
        div { dt { "Last good backup" } dd { @match &one.last_good { Some(good) => { (head::facts(good)) } None => { "none" } }
            @if let Some(good) = &one.last_good { (chart::age(good.age_seconds, one.max_age_seconds)) } } }
        div { dt { "Verified" } dd { (verified(one.last_good.as_ref().and_then(|good| good.verified.as_ref()))) } }
        div { dt { "Restore proved" } dd { (proved(one)) } }
        div { dt { "Kept" } dd { (words::count(one.backups, "backup")) ", " (words::size(one.bytes)) } }
        div { dt { "Goes next" } dd {
            @match &one.goes_next {
                Some(next) => { span.id { (sentence(&next.backup)) } " from " time datetime=(next.from) { (words::minute(next.from)) } " on" }
                None => { "nothing that is known" }
            }
        } }
        @if let Some(dollars) = one.month_dollars {
            div { dt { "Cost" } dd { "about " (money(dollars)) " a month on AWS" } }
        }
        @if let Some(retired) = one.retired { div { dt { "Retired" } dd { (words::minute(retired)) } } }
    }
}

fn money(dollars: f64) -> String {
    if dollars < 0.01 { "less than a cent".to_owned() } else { format!("${dollars:.2}") }
}

fn verified(verified: Option<&Verified>) -> Markup {
    let Some(verified) = verified else { return html! { "never" } };
    html! {
        time datetime=(verified.at) { (words::minute(verified.at)) }
        @if let Some(by) = &verified.by { " by the " (shown(by)) }
        @if let Some(host) = &verified.host { " on " (shown(host)) }
    }
}

fn proved(one: &Database) -> Markup {
    match one.drills.first() {
        None => {
            html! { "never: no drill is known. Run: " code { "lastgood drill --database " (words::shell_word(&one.database)) } }
        }
        Some(last) if last.passed => html! {
            time datetime=(last.finished) { (words::minute(last.finished)) } ", back in " (took(last.restore_seconds.unwrap_or(last.seconds)))
        },
        Some(last) => html! {
            strong { "✕ the last drill failed" } ", " (words::minute(last.finished))
            @if let Some(reason) = &last.reason { ": " (sentence(reason)) }
        },
    }
}

fn took(seconds: f64) -> String {
    words::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

fn growing(tables: &[Growing], place: usize) -> Markup {
    let Some(first) = tables.first() else { return html! {} };
    html! {
        h3 id={ "g" (place) } { "The tables that grow most" }
        div.scroll role="region" aria-labelledby={ "h" (place) " g" (place) } tabindex="0" {
            table {
                caption { "Rows since the backup of " (words::minute(first.since)) }
                thead { tr {
                    th scope="col" { "Table" } th.number scope="col" { "Before" } th.number scope="col" { "Now" }
                    th.number scope="col" { "More" }
                } }
                tbody { @for table in tables { tr {
                    th.name scope="row" { (name(&table.schema)) "." (name(&table.table)) }
                    td.number { (words::grouped(table.before)) } td.number { (words::grouped(table.rows)) }
                    td.number { "+" (words::grouped(table.rows.saturating_sub(table.before))) }
                } } }
            }
        }
    }
}

fn drills(drills: &[Drill], place: usize) -> Markup {
    html! {
        @if !drills.is_empty() {
            h3 id={ "r" (place) } { "Drills" }
            div.scroll role="region" aria-labelledby={ "h" (place) " r" (place) } tabindex="0" {
                table {
                    caption { "Restores that were compared with what had been dumped" }
                    thead { tr {
                        th scope="col" { "When" } th scope="col" { "Result" } th.number scope="col" { "Back in" }
                        th.number scope="col" { "With comparison" } th scope="col" { "Backup" }
                    } }
                    tbody { @for drill in drills.iter().take(DRILLS) { tr {
                        th.when scope="row" { (words::minute(drill.finished)) }
                        td { (passed(drill.passed)) }
                        td.number { (drill.restore_seconds.map_or_else(|| "–".to_owned(), took)) }
                        td.number { (took(drill.seconds)) }
                        td.id { (sentence(&drill.backup)) @if let Some(why) = &drill.reason { br; span.why { (sentence(why)) } } }
                    } } }
                }
            }
            @if drills.len() > DRILLS { p.note { "… and " (drills.len() - DRILLS) " earlier ones." } }
        }
    }
}

fn passed(passed: bool) -> Markup {
    if passed {
        html! { span.state.good { "✓ passed" } }
    } else {
        html! { span.state.bad { "✕ failed" } }
    }
}

fn evidence(one: &Database, place: usize, is_open: bool) -> Markup {
    html! {
        h3 id={ "e" (place) } { "Evidence" }
        @if one.evidence.is_empty() { p { "There are no backups." } }
        @else {
            details open[is_open] {
                summary { "Each backup, and what proves it (" (words::grouped(one.evidence.len() as u64)) ")" }
                div.scroll role="region" aria-labelledby={ "h" (place) " e" (place) } tabindex="0" {
                    table.evidence {
                        caption { "Digests are of the stored bytes" }
                        thead { tr {
                            th scope="col" { "Backup" } th scope="col" { "Verdict" } th scope="col" { "Verified" }
                            th.number scope="col" { "Size" } th.number scope="col" { "Rows" } th scope="col" { "Digest" }
                            th scope="col" { "Drill" }
                        } }
                        tbody { @for backup in &one.evidence { (proof(backup)) } }
                    }
                }
            }
        }
    }
}

fn proof(backup: &Backup) -> Markup {
    html! {
        tr {
            th.id scope="row" { (sentence(&backup.name)) @if let Some(host) = &backup.host { br; span.why { "made on " (shown(host)) } } }
            td { (verdict(&backup.state)) @for finding in &backup.findings { br; span.why { (sentence(finding)) } } }
            td.when {
                @match &backup.verified {
                    Some(by) => { (words::minute(by.at)) @if let Some(who) = &by.by { br; span.why { (shown(who)) " on " (shown(by.host.as_deref().unwrap_or("?"))) } } }
                    None => { "–" }
                }
            }
            td.number { (words::size(backup.size)) }
            td.number { (backup.rows.map_or_else(|| "–".to_owned(), words::grouped)) }
            td.digest { (digest("MD5", backup.md5.as_deref())) (digest("CRC64NVME", backup.crc64nvme.as_deref())) }
            td { @match &backup.drill { Some(drill) => { (passed(drill.passed)) br; span.why { (words::minute(drill.finished)) } } None => { "–" } } }
        }
    }
}

fn digest(kind: &str, value: Option<&str>) -> Markup {
    html! { @if let Some(value) = value { div { span.why { (kind) " " } (shown(value)) } } }
}

fn verdict(state: &str) -> Markup {
    match state {
        "good" => html! { span.state.good { "✓ good" } },
        "damaged" | "missing" => html! { span.state.bad { "✕ " (state) } },
        other => html! { span.state.open { "? " (shown(other)) } },
    }
}
