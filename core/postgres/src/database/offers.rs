//! What a server has to offer to a database that comes from another one: extensions, languages, tablespaces and locales.

use serde::Deserialize;

use crate::database::attempts::{Refusal, attempt};
use crate::quote::{identifier, literal};
use crate::words::dictionary;
use crate::words::needs::Locale;
use crate::{Psql, PsqlError};

/// What is there, and what of it the role may use.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Offers {
    /// Extensions that are installed on the server.
    pub extensions: Vec<String>,
    /// Those among them that only a superuser may create.
    pub untrusted_extensions: Vec<String>,
    /// Those among them that are created with a superuser's rights, whoever creates them: what they bring belongs to the server's first
    /// superuser then.
    #[serde(default)]
    pub privileged_extensions: Vec<String>,
    /// The role has the rights of that one, to whom all that is the server's own belongs.
    #[serde(default)]
    pub has_system_rights: bool,
    /// Languages that functions can be written in.
    pub languages: Vec<String>,
    /// Those among them in which only a superuser may create functions.
    pub untrusted_languages: Vec<String>,
    /// Tablespaces that the role may put something into: pg_global holds the server's own catalogs alone.
    pub tablespaces: Vec<String>,
}

/// What a live database has already, and whether the role may add to it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Present {
    /// Its extensions.
    pub extensions: Vec<String>,
    /// The role may create schemas, publications and trusted extensions in it.
    pub may_create: bool,
    /// It has the rights of the owner of the schema `public`.
    pub owns_public: bool,
    /// It has those of the owners of all that extensions brought, but for the one that is in every database.
    pub owns_members: bool,
    /// The languages whose owners' rights it has.
    pub languages: Vec<String>,
}

/// `trusted` came with version 13.
const SELECT: &str = "SELECT ARRAY(SELECT name FROM pg_available_extensions) AS extensions,
    ARRAY(SELECT v.name FROM pg_available_extension_versions v
        JOIN pg_available_extensions e ON e.name = v.name AND e.default_version = v.version
        WHERE v.superuser AND NOT coalesce((to_jsonb(v) ->> 'trusted')::boolean, false)) AS untrusted_extensions,
    ARRAY(SELECT v.name FROM pg_available_extension_versions v
        JOIN pg_available_extensions e ON e.name = v.name AND e.default_version = v.version
        WHERE v.superuser) AS privileged_extensions,
    pg_has_role(10, 'USAGE') AS has_system_rights,
    ARRAY(SELECT lanname FROM pg_language) AS languages,
    ARRAY(SELECT lanname FROM pg_language WHERE NOT lanpltrusted) AS untrusted_languages,
    ARRAY(SELECT spcname FROM pg_tablespace WHERE spcname <> 'pg_global'
        AND has_tablespace_privilege(oid, 'CREATE')) AS tablespaces";

const PRESENT: &str = "SELECT ARRAY(SELECT extname FROM pg_extension) AS extensions,
    has_database_privilege(current_database(), 'CREATE') AS may_create,
    EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public' AND pg_has_role(nspowner, 'USAGE')) AS owns_public,
    NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname <> 'plpgsql'
        LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
        LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
        LEFT JOIN pg_namespace n ON d.classid = 'pg_namespace'::regclass AND n.oid = d.objid
        LEFT JOIN pg_foreign_data_wrapper w ON d.classid = 'pg_foreign_data_wrapper'::regclass AND w.oid = d.objid
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            AND NOT pg_has_role(coalesce(relowner, proowner, typowner, nspowner, fdwowner), 'USAGE')) AS owns_members,
    ARRAY(SELECT lanname FROM pg_language WHERE pg_has_role(lanowner, 'USAGE')) AS languages";

impl Offers {
    /// Asks over `psql`, which is connected to any database of the server.
    ///
    /// # Errors
    /// [`PsqlError`].
    pub fn ask(psql: &Psql) -> Result<Self, PsqlError> {
        Ok(psql.row(SELECT)?.unwrap_or_default())
    }
}

impl Present {
    /// Asks the database that `psql` is connected to.
    ///
    /// # Errors
    /// [`PsqlError`].
    pub fn ask(psql: &Psql) -> Result<Self, PsqlError> {
        Ok(psql.row(PRESENT)?.unwrap_or_default())
    }
}

/// Extensions of `names` that cannot be created over `psql`, and why. Only a superuser may try in any database; what the
/// database has already says nothing. Nor does it where the database is closed to all that is created.
///
/// # Errors
/// [`PsqlError`].
pub fn refused_extensions(psql: &Psql, names: &[&str]) -> Result<Vec<(String, Refusal)>, PsqlError> {
    let present = if names.is_empty() { Present::default() } else { Present::ask(psql)? };
    let mut found = Vec::new();
    for name in names.iter().filter(|name| !present.extensions.iter().any(|there| there == *name)) {
        let refusal = refused(psql, &format!("CREATE EXTENSION {} CASCADE", identifier(name)))?;
        found.extend(refusal.map(|refusal| ((*name).to_owned(), refusal)));
    }
    if !found.is_empty() && refused(psql, CONTROL)?.is_some() {
        return Ok(Vec::new());
    }
    Ok(found)
}

/// What can be created in every database.
const CONTROL: &str = "CREATE FUNCTION lastgood_attempt() RETURNS integer LANGUAGE sql AS 'SELECT 1'";

/// Why the database refuses to create something in a schema of its own. What its event triggers refuse another database may take: tried
/// again without those is whatever failed.
fn refused(psql: &Psql, create: &str) -> Result<Option<Refusal>, PsqlError> {
    let schema = format!("lastgood_attempt_{}", std::process::id());
    let (make, enter) = (format!("CREATE SCHEMA {schema}"), format!("SET LOCAL search_path = {schema}"));
    let statements = [make.as_str(), enter.as_str(), create];
    let refusal = attempt(psql, &statements)?;
    if refusal.is_none() || !has_event_triggers(psql)? {
        return Ok(refusal);
    }
    let without_triggers = ["SET LOCAL session_replication_role = replica"];
    attempt(psql, &[&without_triggers[..], &statements].concat())
}

fn has_event_triggers(psql: &Psql) -> Result<bool, PsqlError> {
    #[derive(Deserialize)]
    struct Answer {
        exist: bool,
    }
    let exist: Option<Answer> =
        psql.row("SELECT EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D') AS exist")?;
    Ok(exist.is_some_and(|answer| answer.exist))
}

/// Dictionaries of `definitions` (each its name, and the `CREATE TEXT SEARCH DICTIONARY` that pg_dump wrote) whose files the
/// server lacks, or reads otherwise, and its words. Only those of PostgreSQL's own templates can be tried.
///
/// # Errors
/// [`PsqlError`].
pub fn refused_dictionaries(psql: &Psql, definitions: &[(&str, &str)]) -> Result<Vec<(String, String)>, PsqlError> {
    let tried: Vec<(&str, String)> =
        definitions.iter().filter_map(|(name, sql)| Some((*name, dictionary::of_a_file(sql)?))).collect();
    let control = "CREATE TEXT SEARCH DICTIONARY pg_temp.lastgood_attempt (TEMPLATE = pg_catalog.simple)";
    if tried.is_empty() || attempt(psql, &[control])?.is_some() {
        return Ok(Vec::new());
    }
    let mut refused = Vec::new();
    for (name, options) in tried {
        let refusal = attempt(psql, &[&format!("CREATE TEXT SEARCH DICTIONARY pg_temp.lastgood_attempt ({options})")])?;
        refused.extend(refusal.map(|refusal| (name.to_owned(), refusal.words)));
    }
    Ok(refused)
}

/// Which of `locales` the server doesn't know, for texts in the character set `encoding`. Found by creating a collation in a
/// transaction that is taken back. None are named where that cannot tell: in another character set, or without the right.
pub fn unknown_locales<'a>(psql: &Psql, encoding: &str, locales: impl IntoIterator<Item = &'a Locale>) -> Vec<Locale> {
    let mut locales = locales.into_iter().filter(|locale| !["C", "POSIX"].contains(&locale.name.as_str())).peekable();
    if locales.peek().is_none() {
        return Vec::new();
    }
    let holds = |condition: &str| {
        let control = format!("SELECT 1 / ({condition})::int FROM pg_database WHERE datname = current_database()");
        matches!(attempt(psql, &[&control, &collation("libc", "C")]), Ok(None))
    };
    let same_set = holds(&format!("pg_encoding_to_char(encoding) = {}", literal(encoding)));
    // Where texts have no character set, a superuser may have any locale of the C library.
    let no_set = "pg_encoding_to_char(encoding) = 'SQL_ASCII'
        AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)";
    if !same_set && !holds(no_set) {
        return Vec::new();
    }
    let told = locales.filter(|locale| same_set || !["icu", "builtin"].contains(&locale.provider.as_str()));
    let refused =
        |locale: &&Locale| matches!(attempt(psql, &[&collation(&locale.provider, &locale.name)]), Ok(Some(_)));
    told.filter(refused).cloned().collect()
}

fn collation(provider: &str, locale: &str) -> String {
    let provider = if ["icu", "builtin"].contains(&provider) { provider } else { "libc" };
    format!("CREATE COLLATION pg_temp.lastgood_attempt (provider = {provider}, locale = {})", literal(locale))
}
