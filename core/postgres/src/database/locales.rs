//! Locales for a database that is to be created: which ones a server has, which of them is nearest to another one, and how
//! CREATE DATABASE is told.

use serde::Deserialize;

use crate::quote::literal;
use crate::words::needs::Locale;
use crate::{Psql, PsqlError};

/// Providers besides the C library, as a person names one before the locale: `icu:de-DE`.
const PROVIDERS: [&str; 3] = ["libc", "icu", "builtin"];
/// The first versions with databases of these providers.
const WITH_PROVIDERS: u32 = 150_000;
const WITH_BUILTIN: u32 = 170_000;
/// Character sets that ICU doesn't know.
const NOT_OF_ICU: [&str; 4] = ["SQL_ASCII", "MULE_INTERNAL", "EUC_JIS_2004", "SHIFT_JIS_2004"];
/// Character sets of locales, without signs and in lower case, and what PostgreSQL calls them.
const CODESETS: [(&str, &str); 20] = [
    ("utf8", "UTF8"),
    ("iso88591", "LATIN1"),
    ("iso88592", "LATIN2"),
    ("iso88593", "LATIN3"),
    ("iso88594", "LATIN4"),
    ("iso88595", "ISO_8859_5"),
    ("iso88596", "ISO_8859_6"),
    ("iso88597", "ISO_8859_7"),
    ("iso88598", "ISO_8859_8"),
    ("iso88599", "LATIN5"),
    ("iso885915", "LATIN9"),
    ("cp1250", "WIN1250"),
    ("cp1251", "WIN1251"),
    ("cp1252", "WIN1252"),
    ("koi8r", "KOI8R"),
    ("koi8u", "KOI8U"),
    ("eucjp", "EUC_JP"),
    ("euckr", "EUC_KR"),
    ("gb2312", "EUC_CN"),
    ("euctw", "EUC_TW"),
];

/// A locale as a person writes it: `de_DE.utf8`, or with its provider before it, `icu:de-DE`.
///
/// # Errors
/// When it is empty.
pub fn parse(text: &str) -> Result<Locale, String> {
    let (provider, name) = match text.split_once(':') {
        Some((provider, name)) if PROVIDERS.contains(&provider) => (provider, name),
        _ => ("libc", text),
    };
    if name.is_empty() {
        return Err("expected a locale such as de_DE.utf8, C, icu:de-DE or builtin:C.UTF-8".to_owned());
    }
    Ok(Locale { provider: provider.to_owned(), name: name.to_owned() })
}

/// A locale as a person writes it.
#[must_use]
pub fn spell(locale: &Locale) -> String {
    if locale.provider == "libc" { locale.name.clone() } else { format!("{}:{}", locale.provider, locale.name) }
}

/// The options of CREATE DATABASE for a database in this locale and character set, on a server of this version.
#[must_use]
pub fn creation_options(locale: &Locale, encoding: &str, version: u32) -> String {
    let (name, encoding) = (literal(&locale.name), literal(encoding));
    match locale.provider.as_str() {
        "icu" => format!("ENCODING {encoding} LOCALE_PROVIDER icu ICU_LOCALE {name} LC_COLLATE 'C' LC_CTYPE 'C'"),
        "builtin" => {
            format!("ENCODING {encoding} LOCALE_PROVIDER builtin BUILTIN_LOCALE {name} LC_COLLATE 'C' LC_CTYPE 'C'")
        }
        _ if version >= WITH_PROVIDERS => {
            format!("ENCODING {encoding} LOCALE_PROVIDER libc LC_COLLATE {name} LC_CTYPE {name}")
        }
        _ => format!("ENCODING {encoding} LC_COLLATE {name} LC_CTYPE {name}"),
    }
}

/// Why a database in this character set can't be in the locale, if it can't.
#[must_use]
pub fn unfit(locale: &Locale, encoding: &str, version: u32) -> Option<String> {
    match locale.provider.as_str() {
        "icu" if version < WITH_PROVIDERS => Some("databases with a locale of ICU came with PostgreSQL 15".to_owned()),
        "icu" if NOT_OF_ICU.contains(&encoding) => Some(format!("ICU does not know the character set {encoding}")),
        "builtin" if version < WITH_BUILTIN => Some("the provider builtin came with PostgreSQL 17".to_owned()),
        "builtin" if locale.name != "C" && encoding != "UTF8" => {
            Some(format!("{} is for UTF8, and the backup is in {encoding}", locale.name))
        }
        "libc" => {
            let codeset = codeset(&locale.name)?;
            let (_, of_locale) = CODESETS.iter().find(|(name, _)| *name == codeset)?;
            (*of_locale != encoding).then(|| format!("it is for {of_locale}, and the backup is in {encoding}"))
        }
        _ => None,
    }
}

/// What stands after the dot, without signs and in lower case.
fn codeset(name: &str) -> Option<String> {
    let set = name.split_once('.')?.1.split('@').next()?;
    Some(plain(set))
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The locales that a server has for this character set.
///
/// # Errors
/// [`PsqlError`].
pub fn offered(psql: &Psql, encoding: &str) -> Result<Vec<Locale>, PsqlError> {
    #[derive(Deserialize)]
    struct Offered {
        provider: String,
        name: String,
    }
    let select = format!(
        "SELECT DISTINCT CASE collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
            coalesce(c.row ->> 'colllocale', c.row ->> 'colliculocale', c.row ->> 'collcollate') AS name
            FROM (SELECT collprovider, collencoding, to_jsonb(p) AS row FROM pg_catalog.pg_collation p) c
            WHERE collprovider IN ('c', 'i', 'b') AND collencoding IN (-1, pg_char_to_encoding({}))
            AND coalesce(c.row ->> 'colllocale', c.row ->> 'colliculocale', c.row ->> 'collcollate') <> ''",
        literal(encoding)
    );
    let rows: Vec<Offered> = psql.rows(&select)?;
    Ok(rows.into_iter().map(|row| Locale { provider: row.provider, name: row.name }).collect())
}

/// Those of `offered` that are nearest to one that lacks, the nearest first: other spellings of it, its language, and C.
#[must_use]
pub fn nearest<'a>(wanted: &Locale, offered: &'a [Locale]) -> Vec<&'a Locale> {
    let mut ranked: Vec<(u8, bool, &Locale)> = offered
        .iter()
        .filter_map(|locale| Some((distance(&wanted.name, &locale.name)?, locale.provider != wanted.provider, locale)))
        .collect();
    ranked.sort();
    ranked.into_iter().map(|(_, _, locale)| locale).collect()
}

fn distance(wanted: &str, other: &str) -> Option<u8> {
    let parts = |name: &str| -> (String, String) {
        let base = name.split(['.', '@']).next().unwrap_or(name).replace('-', "_").to_ascii_lowercase();
        let (language, territory) = base.split_once('_').unwrap_or((base.as_str(), ""));
        (language.to_owned(), territory.to_owned())
    };
    let ((language, territory), (of_other, its)) = (parts(wanted), parts(other));
    if plain(wanted) == plain(other) {
        return Some(0);
    }
    match (of_other == language, its == territory) {
        (true, true) => Some(1),
        (true, false) => Some(2),
        _ if ["c", "posix"].contains(&of_other.as_str()) => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locale(text: &str) -> Locale {
        parse(text).unwrap()
    }

    #[test]
    fn a_locale_is_written_with_its_provider_unless_that_is_the_c_library() {
        for text in ["de_DE.utf8", "C", "icu:de-DE", "builtin:C.UTF-8"] {
            assert_eq!(spell(&locale(text)), text);
        }
        assert_eq!(locale("libc:C").provider, "libc");
        assert!(parse("").is_err() && parse("icu:").is_err());
    }

    #[test]
    fn the_nearest_is_another_spelling_then_the_language_then_c() {
        let offered = ["C", "en_US.utf8", "de_AT.utf8", "icu:de-DE", "de_DE.utf8", "C.utf8", "icu:de"].map(locale);
        let names: Vec<String> = nearest(&locale("de_DE.UTF-8"), &offered).into_iter().map(spell).collect();
        assert_eq!(names, ["de_DE.utf8", "icu:de-DE", "de_AT.utf8", "icu:de", "C", "C.utf8"]);
        let names: Vec<String> = nearest(&locale("builtin:C.UTF-8"), &offered).into_iter().map(spell).collect();
        assert_eq!(names, ["C.utf8", "C"]);
    }

    #[test]
    fn a_character_set_that_does_not_fit_is_known() {
        for (text, encoding, version, said) in [
            ("de_DE.ISO-8859-1", "UTF8", 160_000, Some("it is for LATIN1, and the backup is in UTF8")),
            ("de_DE.UTF-8", "LATIN1", 160_000, Some("it is for UTF8, and the backup is in LATIN1")),
            ("de_DE@euro", "LATIN9", 160_000, None),
            ("C", "LATIN1", 160_000, None),
            ("icu:de-DE", "UTF8", 140_000, Some("databases with a locale of ICU came with PostgreSQL 15")),
            ("icu:de-DE", "SQL_ASCII", 160_000, Some("ICU does not know the character set SQL_ASCII")),
            ("builtin:C.UTF-8", "UTF8", 160_000, Some("the provider builtin came with PostgreSQL 17")),
            ("builtin:C.UTF-8", "LATIN1", 170_000, Some("C.UTF-8 is for UTF8, and the backup is in LATIN1")),
        ] {
            assert_eq!(unfit(&locale(text), encoding, version).as_deref(), said, "{text} {encoding}");
        }
    }
}
