//! What the user's own options for pg_dump leave out of an archive.
//!
//! They are read as getopt_long reads them: a long name may be shortened as long as it is unambiguous, and a value follows
//! behind `=` or as the next word.

/// Options that say how pg_dump works and not what it dumps; true: a value belongs to it.
const HOW: [(&str, bool); 12] = [
    ("--encoding", true),
    ("-E", true),
    ("--extra-float-digits", true),
    ("--include-foreign-data", true),
    ("--load-via-partition-root", false),
    ("--lock-wait-timeout", true),
    ("--no-sync", false),
    ("--quote-all-identifiers", false),
    ("--role", true),
    ("--serializable-deferrable", false),
    ("--verbose", false),
    ("-v", false),
];

/// Options after which an archive lacks what a restore needs, each with its one-letter name.
const PARTIAL: [(&str, &str); 9] = [
    ("--data-only", "-a"),
    ("--extension", "-e"),
    ("--no-data", ""),
    ("--no-schema", ""),
    ("--schema-only", "-s"),
    ("--section", ""),
    ("--statistics-only", ""),
    ("--table", "-t"),
    ("--table-and-children", ""),
];

/// The sections of an archive, which together are all of it.
const SECTIONS: [&str; 3] = ["pre-data", "data", "post-data"];

/// Those of `words` that leave nothing out, for a dump that must be whole. An option that isn't known is left away.
#[must_use]
pub fn whole(words: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or(word);
        let Some((_, has_value)) = HOW.iter().find(|(how, _)| *how == name) else { continue };
        kept.push(word.clone());
        if *has_value && !word.contains('=') {
            kept.extend(words.next().cloned());
        }
    }
    kept
}

/// The role that pg_dump takes on after it has connected, if `words` say one.
#[must_use]
pub fn role(words: &[String]) -> Option<&str> {
    let mut words = words.iter();
    let mut role = None;
    while let Some(word) = words.next() {
        match word.split_once('=') {
            None if word == "--role" => role = words.next().map(String::as_str),
            Some(("--role", name)) => role = Some(name),
            _ => {}
        }
    }
    role
}

/// Those of `words` after which a restore cannot bring the database back.
#[must_use]
pub fn partial(words: &[String]) -> Vec<String> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let Some(name) = partial_name(word) else { continue };
        let joined = if word.starts_with("--") { word.contains('=') } else { word.len() > 2 };
        let value = rest.peek().filter(|next| !joined && takes_value(name) && !next.starts_with('-'));
        found.push((name, value.map_or(word.clone(), |value| format!("{word} {value}"))));
    }
    let names = |word: &str, section: &str| word.split_once(['=', ' ']).is_some_and(|(_, value)| value == section);
    if SECTIONS.iter().all(|section| found.iter().any(|(name, word)| *name == "--section" && names(word, section))) {
        found.retain(|(name, _)| *name != "--section");
    }
    found.into_iter().map(|(_, word)| word).collect()
}

/// By which of `words` rows are written as INSERTs, and how; `None`: they are written as COPY.
#[must_use]
pub fn inserts(words: &[String]) -> Option<String> {
    const FORMS: [&str; 4] = ["--attribute-inserts", "--column-inserts", "--inserts", "--rows-per-insert"];
    let mut rest = words.iter();
    let mut found = Vec::new();
    while let Some(word) = rest.next() {
        let name = word.split('=').next().unwrap_or(word);
        let Some(form) = FORMS.iter().find(|form| name.len() > "--x".len() && form.starts_with(name)) else { continue };
        let value = word.split_once('=').map(|(_, value)| value);
        let value = value.or_else(|| if form.ends_with("insert") { rest.next().map(String::as_str) } else { None });
        found.push(value.map_or((*form).to_owned(), |value| format!("{form}={value}")));
    }
    (!found.is_empty()).then(|| found.join(" "))
}

fn takes_value(name: &str) -> bool {
    !name.ends_with("-only") && !name.starts_with("--no-")
}

fn partial_name(word: &str) -> Option<&'static str> {
    if !word.starts_with("--") {
        return PARTIAL
            .iter()
            .find(|(_, letter)| !letter.is_empty() && word.starts_with(letter))
            .map(|(name, _)| *name);
    }
    let name = word.split('=').next().unwrap_or(word);
    let exact = PARTIAL.iter().find(|(partial, _)| *partial == name);
    // `--schema` is an option by itself.
    let shortened =
        || PARTIAL.iter().find(|(partial, _)| name.len() > 4 && name != "--schema" && partial.starts_with(name));
    exact.or_else(shortened).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_whole_dump_keeps_only_what_leaves_nothing_out() {
        let given = "--exclude-table-data=logs --role owner -N audit --no-sync --exclude-table-d=x -v --inserts --encoding=UTF8";
        assert_eq!(whole(&words(given)), words("--role owner --no-sync -v --encoding=UTF8"));
        assert_eq!(whole(&words("-T logs")), Vec::<String>::new());
    }

    #[test]
    fn the_role_is_the_last_that_is_named() {
        assert_eq!(role(&words("--no-sync")), None);
        assert_eq!(role(&words("--role=one -v --role two")), Some("two"));
    }

    #[test]
    fn what_no_restore_can_bring_back_is_named() {
        for (given, found) in [
            ("--table=app.t", vec!["--table=app.t"]),
            ("-t app.t --no-sync", vec!["-t app.t"]),
            ("--data-only", vec!["--data-only"]),
            ("-a", vec!["-a"]),
            ("--schema-o", vec!["--schema-o"]),
            ("--section=data", vec!["--section=data"]),
            ("--section pre-data --section data", vec!["--section pre-data", "--section data"]),
            ("--section=pre-data --section=data --section=post-data", vec![]),
            ("--schema=public --exclude-table-data=logs -n app -T x", vec![]),
        ] {
            assert_eq!(partial(&words(given)), found, "{given}");
        }
    }

    #[test]
    fn the_form_of_inserts_is_told_however_it_is_written() {
        let form = |words: &str| inserts(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(form("--no-sync --insert-is-nothing"), None);
        assert_eq!(form("--inserts").as_deref(), Some("--inserts"));
        assert_eq!(form("--rows-per-insert 100").as_deref(), Some("--rows-per-insert=100"));
        assert_eq!(form("--rows=100 --column").as_deref(), Some("--rows-per-insert=100 --column-inserts"));
    }
}
