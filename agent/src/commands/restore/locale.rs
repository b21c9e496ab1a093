//! The locale of a database that a restore creates: the archived one's, or the one that `--locale` names.

use ::archive::Entry;
use catalog::words;
use postgres::database::locales::{nearest, offered, spell, unfit};
use postgres::database::offers::unknown_locales;
use postgres::words::needs::Locale;
use postgres::words::{origin, ranges};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;
use crate::commands::restore::server::{Server, Target};
use crate::commands::restore::wish::Wish;

/// How many tables are named.
const NAMED: usize = 5;

/// What is known of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct DatabaseLocale {
    /// What `--locale` names.
    pub(crate) chosen: Option<Locale>,
    /// Why a database with the archive's character set can't be in it.
    pub(crate) unfit: Option<String>,
    /// Those that the server lacks.
    pub(crate) unknown: Vec<Locale>,
    /// Those that it has instead, the nearest first, as they are written on the command line.
    pub(crate) instead: Vec<String>,
}

impl DatabaseLocale {
    /// Asks the server, where a database is to be created.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(super) fn gather(wish: &Wish, head: &Head, target: &Target, server: &Server) -> Result<Self, Failure> {
        let chosen = wish.locale.clone();
        if target.living.is_some() {
            return Ok(Self { chosen, ..Self::default() });
        }
        let needed = match &chosen {
            Some(locale) => vec![locale.clone()],
            None => origin::locales(head.definition("DATABASE").unwrap_or_default()),
        };
        let encoding = head.encoding();
        let unknown = unknown_locales(&server.maintenance, encoding, &needed);
        let unfit = chosen.as_ref().and_then(|locale| unfit(locale, encoding, target.role.version_number()));
        let instead = match unknown.first().or(chosen.as_ref().filter(|_| unfit.is_some())) {
            Some(wanted) => {
                let failed = |e: postgres::PsqlError| Failure::new(Exit::Failed, e.to_string());
                let there = offered(&server.maintenance, encoding).map_err(failed)?;
                nearest(wanted, &there).into_iter().map(spell).collect()
            }
            None => Vec::new(),
        };
        Ok(Self { chosen, unfit, unknown, instead })
    }

    /// What another one than the archive's means, if one was chosen.
    pub(crate) fn warning(&self, head: &Head) -> Option<String> {
        let chosen = self.chosen.as_ref()?;
        let archived = origin::locales(head.definition("DATABASE")?);
        let was = archived.first().filter(|locale| *locale != chosen)?;
        Some(format!(
            "the database sorts and compares texts by {} instead of {}: ORDER BY, < and > on texts, and range partitions of them go by \
             it; indexes are built for it; LIKE 'abc%' uses a plain index only under C",
            spell(chosen),
            spell(was)
        ))
    }

    /// That rows may fit into none of their partitions in another locale than the archive's.
    pub(crate) fn risk(&self, head: &Head) -> Option<String> {
        self.warning(head)?;
        let is_at_risk = |entry: &&Entry| entry.definition.as_deref().is_some_and(ranges::goes_by_text);
        let tables = head.entries("TABLE").filter(is_at_risk).map(|entry| format!("{}.{}", entry.schema, entry.name));
        let tables = words::first_of(tables.collect::<Vec<_>>(), NAMED, ", ");
        (!tables.is_empty()).then(|| {
            format!(
                "parted by ranges of texts: {tables}; a row that fits into none of the partitions in the other locale ends the restore, \
                 and the live database stays as it is (then restore with a locale that sorts as the old one, or COLLATE the key)"
            )
        })
    }
}
