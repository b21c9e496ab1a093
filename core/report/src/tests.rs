use std::time::Instant;

use catalog::history::DayVerdict;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

use crate::data::{
    Backup, Calendar, Database, Drill, GoesNext, Growing, LastGood, Problem, Report, Size, VERSION, Verified,
};
use crate::page;

const NOW: &str = "2026-11-27T04:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Every field holds this text that can hold one.
fn database(text: &str) -> Database {
    let (now, text) = (now(), text.to_owned());
    let verified = Verified { at: now, by: Some(text.clone()), host: Some(text.clone()), version: Some(text.clone()) };
    let drill = Drill {
        finished: now,
        backup: text.clone(),
        passed: false,
        restore_seconds: Some(62.0),
        seconds: 90.0,
        reason: Some(text.clone()),
    };
    let days = (0..365).map(|back| catalog::history::day_of(now).checked_sub((364 - back).days()).unwrap());
    let verdicts = [Some(DayVerdict::Good), Some(DayVerdict::Late), Some(DayVerdict::Damaged), None];
    Database {
        database: text.clone(),
        healthy: false,
        retired: None,
        last_good: Some(LastGood {
            name: text.clone(),
            made: now,
            age_seconds: 3_600,
            size: 1 << 20,
            rows: Some(1_204_511),
            verified: Some(verified.clone()),
        }),
        max_age_seconds: 26 * 3_600,
        problems: vec![Problem { text: text.clone(), next: text.clone() }],
        notes: vec![text.clone()],
        calendar: days.enumerate().map(|(at, day)| Calendar { day, verdict: verdicts[at % 4] }).collect(),
        sizes: (0..300_u64)
            .map(|day| Size {
                made: now - SignedDuration::from_hours(24 * (300 - day as i64)),
                size: day * 1_000,
                rows: Some(day),
            })
            .collect(),
        growing: vec![Growing { schema: text.clone(), table: text.clone(), since: now, before: 1, rows: 2 }],
        drills: vec![drill.clone()],
        goes_next: Some(GoesNext { backup: text.clone(), from: now }),
        month_dollars: Some(0.12),
        backups: 1,
        bytes: 1 << 20,
        evidence: vec![Backup {
            name: text.clone(),
            made: now,
            state: "damaged".into(),
            size: 1,
            rows: Some(1),
            md5: Some(text.clone()),
            crc64nvme: Some(text.clone()),
            host: Some(text.clone()),
            verified: Some(verified),
            findings: vec![text],
            drill: Some(drill),
        }],
    }
}

fn report(texts: &[&str]) -> Report {
    let text = texts.first().copied().unwrap_or("s3://shop-backups/backups");
    Report {
        version: VERSION,
        made: now(),
        repository: text.to_owned(),
        stack: vec![text.to_owned()],
        databases: texts.iter().map(|text| database(text)).collect(),
        notes: vec![text.to_owned()],
    }
}

/// The tags of a page, each with its attributes; what stands between them.
fn parsed(html: &str) -> (Vec<String>, String) {
    let (mut tags, mut text) = (Vec::new(), String::new());
    let (before, rest) = html.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    for piece in [before, after] {
        for part in piece.split('<').skip(1) {
            let (tag, rest) = part.split_once('>').unwrap_or_else(|| panic!("a tag without an end: {part}"));
            tags.push(tag.to_owned());
            text.push_str(rest);
        }
    }
    (tags, text)
}

/// Tags are closed in the order in which they were opened.
fn is_well_formed(tags: &[String]) {
    const VOID: [&str; 2] = ["meta", "br"];
    let mut open: Vec<&str> = Vec::new();
    for tag in tags.iter().filter(|tag| !tag.starts_with('!')) {
        let called = tag.split_whitespace().next().unwrap_or_default();
        match called.strip_prefix('/') {
            Some(called) => assert_eq!(open.pop(), Some(called), "{tag}"),
            None if VOID.contains(&called) => {}
            None => open.push(called),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_strangers_names_are_text() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><script>",
        "javascript:alert(1)",
        "&lt;b&gt;",
        "x\u{202e}gpj.exe\u{2066}",
        "a\u{0}b\nc\u{7f}\u{9b}31m",
        "🐘👨\u{200d}👩",
        "صندوق",
        &"long_".repeat(60),
        &"<>&\"'".repeat(400),
    ];
    let html = page(&report(&hostile));
    let (tags, text) = parsed(&html);
    is_well_formed(&tags);
    let names = tags.iter().map(|tag| tag.split_whitespace().next().unwrap_or_default().trim_start_matches('/'));
    for name in names {
        assert!(!["script", "img", "iframe", "object", "link", "base", "form", "b"].contains(&name), "<{name}>");
    }
    for tag in &tags {
        // What stands between quotation marks is a value.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.contains(" on"), "<{tag}>");
        assert!(!tag.contains("href=\"javascript"), "<{tag}>");
    }
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && text.contains("&amp;lt;b&amp;gt;"));
    assert!(text.contains("x\\u{202e}gpj.exe\\u{2066}"), "a mark that turns the text around is shown");
    assert!(text.contains("صندوق") && text.contains("🐘"), "what can be seen stays");
    let unseen =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert_eq!(html.chars().find(|c| unseen(*c)), None);
}

#[test]
fn it_asks_for_nothing_and_says_so() {
    let html = page(&report(&["shop", "https://evil.example/x.png"]));
    let (tags, _) = parsed(&html);
    assert!(html.contains("default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
    for tag in &tags {
        let has = |attribute: &str| tag.contains(&format!(" {attribute}="));
        assert!(!has("src") && !has("srcset") && !has("action") && !has("data"), "<{tag}>");
        assert!(!has("href") || tag.contains("href=\"#"), "<{tag}>");
    }
    assert!(!html.contains("@import") && !html.contains("url("));
}

#[test]
fn it_can_be_read_without_seeing_it() {
    let html = page(&report(&["shop", "blog"]));
    let (tags, _) = parsed(&html);
    let count = |name: &str| tags.iter().filter(|tag| tag.split_whitespace().next() == Some(name)).count();
    assert_eq!((count("h1"), count("table")), (1, count("caption")));
    assert!(tags.iter().all(|tag| tag.split_whitespace().next() != Some("th") || tag.contains("scope=")));
    assert!(html.contains("<html lang=\"en\">"));
    // A level deeper at most, each time.
    let levels = tags.iter().filter_map(|tag| tag.strip_prefix('h')?.get(..1)?.parse::<u8>().ok());
    levels.fold(0, |before, level| {
        assert!(level <= before + 1, "h{level} after h{before}");
        level
    });
    let mut ids: Vec<&str> = tags.iter().filter_map(|tag| tag.split_once(" id=\"")?.1.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "each id is there once");
    let mut landmarks = Vec::new();
    for tag in &tags {
        let Some((_, labels)) = tag.split_once("aria-labelledby=\"") else { continue };
        let labels = labels.split('"').next().unwrap();
        for label in labels.split(' ') {
            assert!(ids.binary_search(&label).is_ok(), "nothing is called {label}");
        }
        landmarks.push(labels);
    }
    // With several databases, each region is called by its database's name as well.
    let all = landmarks.len();
    landmarks.sort_unstable();
    landmarks.dedup();
    assert_eq!(landmarks.len(), all, "each landmark has a name of its own");
    assert!(tags.iter().filter(|tag| tag.contains("class=\"scroll\"")).all(|tag| tag.contains("tabindex=\"0\"")));
}

#[test]
fn nothing_is_a_page_too() {
    let html = page(&Report { databases: Vec::new(), stack: Vec::new(), notes: Vec::new(), ..report(&[]) });
    is_well_formed(&parsed(&html).0);
    assert!(html.contains("There are no backups here yet"));
}

#[test]
fn forty_databases_with_a_year_are_drawn_in_a_moment() {
    let names: Vec<String> = (0..40).map(|n| format!("shop_{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut report = report(&names);
    for one in &mut report.databases {
        one.evidence = (0..365).flat_map(|_| one.evidence.clone()).collect();
    }
    let began = Instant::now();
    let html = page(&report);
    let (took, size) = (began.elapsed(), html.len());
    assert!(took.as_secs_f64() < 5.0, "{took:?}, without any optimization");
    assert!(size < 25_000_000, "{size}");
}

#[test]
fn the_tables_that_grow_most_come_first() {
    use archive::{Census, TableCensus};
    // Only what the manifest counts is compared.
    let census = |rows: &[(&str, u64)]| Census {
        tables: rows
            .iter()
            .map(|(name, rows)| TableCensus {
                schema: "public".into(),
                name: (*name).into(),
                rows: Some(*rows),
                bytes: 0,
                sha256: archive::Sha256Hex([0; 32]),
                called: None,
            })
            .collect(),
        ..Census::default()
    };
    let of = |rows| crate::tables::Tables::counted(&census(rows), now());
    let grown =
        crate::tables::growing(&of(&[("a", 5), ("b", 10), ("gone", 9)]), &of(&[("a", 7), ("b", 10), ("new", 40)]));
    let names: Vec<_> = grown.iter().map(|table| (table.table.as_str(), table.before, table.rows)).collect();
    assert_eq!(names, [("new", 0, 40), ("a", 5, 7)]);
}

proptest! {
    #[test]
    fn any_text_makes_a_whole_page(text in any::<String>()) {
        is_well_formed(&parsed(&page(&report(&[&text]))).0);
    }
}
