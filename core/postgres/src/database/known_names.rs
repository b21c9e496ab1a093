//! Names that functions use without a schema: which of them are found all the same, and which an extension brings.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::quote::literals;
use crate::words::traps::Known;
use crate::{Psql, PsqlError};

/// What stands before a parenthesis in PL/pgSQL and is no function.
const OF_PLPGSQL: [&str; 15] = [
    "array", "assert", "call", "elseif", "elsif", "execute", "exit", "foreach", "if", "loop", "open", "perform",
    "raise", "return", "while",
];

#[derive(Default, Deserialize)]
struct Found {
    names: BTreeSet<String>,
    /// Those among them that no function can have without quotes.
    keywords: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
struct OfExtensions {
    /// Which of the extensions are there.
    extensions: Vec<String>,
    functions: BTreeSet<String>,
}

/// Asks the server, and the live database, where there is one, about the archive's `extensions`.
///
/// # Errors
/// [`PsqlError`].
pub fn ask(
    maintenance: &Psql,
    living: Option<&Psql>,
    names: &BTreeSet<&str>,
    extensions: &BTreeSet<&str>,
) -> Result<Known, PsqlError> {
    if names.is_empty() {
        return Ok(Known::default());
    }
    let array = array(names);
    let system = format!(
        "SELECT ARRAY(SELECT n FROM unnest({array}) n WHERE n IN (SELECT proname::text FROM pg_proc
                WHERE pronamespace = 'pg_catalog'::regnamespace
            UNION ALL SELECT typname::text FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
            UNION ALL SELECT word FROM pg_get_keywords() WHERE catcode IN ('C', 'R'))) AS names,
            ARRAY(SELECT n FROM unnest({array}) n WHERE n IN (SELECT word FROM pg_get_keywords())) AS keywords"
    );
    let Found { names: without_path, keywords } = maintenance.row(&system)?.unwrap_or_default();
    let asked = living.map(|psql| psql.row(&of_extensions(&array, extensions))).transpose()?;
    let found: OfExtensions = asked.flatten().unwrap_or_default();
    let of_extensions = if found.extensions.len() < extensions.len() {
        // Nobody can be asked: what the server doesn't have can only be an extension's, or the archive's own.
        let unknown = names.iter().filter(|name| !without_path.contains(**name) && !keywords.contains(**name));
        unknown.filter(|name| !OF_PLPGSQL.contains(name)).map(|&name| name.to_owned()).collect()
    } else {
        found.functions
    };
    Ok(Known { without_path, of_extensions })
}

fn array<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> String {
    format!("ARRAY[{}]::text[]", literals(names))
}

fn of_extensions(names: &str, extensions: &BTreeSet<&str>) -> String {
    let extensions = array(extensions);
    format!(
        "SELECT ARRAY(SELECT extname FROM pg_extension WHERE extname = ANY({extensions})) AS extensions,
            ARRAY(SELECT DISTINCT p.proname::text FROM pg_depend d
                JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                WHERE d.deptype = 'e' AND e.extname = ANY({extensions}) AND p.proname = ANY({names})
                    AND p.pronamespace <> 'pg_catalog'::regnamespace) AS functions"
    )
}
