//! docs/settings.md, made from the table. `UPDATE_DOCS=1 cargo test -p lastgood` writes it again.

use std::fmt::Write as _;
use std::path::PathBuf;

use postgres::libpq;

use super::definition::{Definition, Section};
use super::{foreign, table};

const HEAD: &str = include_str!("document_head.md");

fn document() -> String {
    let mut page = HEAD.to_owned();
    for section in sections() {
        write!(page, "\n## {}\n\n", section.title()).unwrap();
        page.push_str(&section.note().map_or_else(String::new, |note| format!("{note}\n\n")));
        page.push_str("| setting | value | default | meaning |\n|---|---|---|---|\n");
        for definition in table::ALL.iter().filter(|definition| definition.section == section) {
            writeln!(page, "{}", row(definition)).unwrap();
        }
        if section == Section::Database {
            let names: Vec<_> = libpq::PARAMETERS.iter().map(|(_, variable)| format!("`{variable}`")).collect();
            write!(page, "\nlibpq's own variables are read from every place too: {}.\n", names.join(", ")).unwrap();
            let names: Vec<_> = foreign::names().map(|name| format!("`{name}`")).collect();
            write!(page, "\nOther programs' names fill what these leave open, as said above: {}.\n", names.join(", "))
                .unwrap();
        }
    }
    page
}

fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = table::ALL.iter().map(|definition| definition.section).collect();
    sections.dedup();
    sections
}

fn row(definition: &Definition) -> String {
    let aliases: String = definition.aliases.iter().map(|alias| format!("<br>also `{alias}`")).collect();
    let mark = if definition.per_database { " ◦" } else { "" };
    let mark = if definition.numbered { " ②" } else { mark };
    let default = definition.default.map_or_else(|| "–".to_owned(), |text| format!("`{text}`"));
    let guide = definition.guide.map_or_else(String::new, |text| format!("<br>guide: `{text}`"));
    let secret = if definition.secret { " A secret: never shown." } else { "" };
    let doc = definition.doc.trim();
    format!("| `{}`{mark}{aliases} | {} | {default}{guide} | {doc}{secret} |", definition.name, definition.form)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says whether to write the page anew")]
fn the_page_of_settings_says_what_the_table_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        assert!(
            std::env::var_os("CI").is_none(),
            "UPDATE_DOCS writes pages anew, and checks none: not where CI is set"
        );
        std::fs::write(&path, document()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == document(), "docs/settings.md is old: UPDATE_DOCS=1 cargo test -p lastgood settings");
}

/// Every example on the page is one that works.
#[test]
fn every_example_on_the_page_is_right() {
    let examples = |kind: &str| -> Vec<&str> {
        HEAD.split(&format!("```{kind}\n")).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
    };
    assert!(!examples("toml").is_empty() && !examples("sh").is_empty());
    for text in examples("toml") {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lastgood.toml");
        std::fs::write(&file, text).unwrap();
        let given = super::Given { config: Some(file), env_file: Some("/dev/null".into()), ..Default::default() };
        let settings = super::Settings::load(&given, crate::answers::report::Report::default()).unwrap();
        assert_eq!(settings.warnings, Vec::<String>::new());
    }
    for text in examples("sh") {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        std::fs::write(&file, text).unwrap();
        let given = super::Given { env_file: Some(file), config: Some("/dev/null".into()), ..Default::default() };
        super::Settings::load(&given, crate::answers::report::Report::default()).unwrap();
    }
}
