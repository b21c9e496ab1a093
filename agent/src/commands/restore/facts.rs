//! What a restore is decided by: all of it asked first, and nothing but plain values.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use postgres::PsqlError;
use postgres::database::loading::Loading;
use postgres::database::objects::Objects;
use postgres::database::offers::{Offers, Present, refused_dictionaries, refused_extensions, unknown_locales};
use postgres::database::properties::refused;
use postgres::database::rights::OwnersRights;
use postgres::database::undumpable::Undumpable;
use postgres::words::bound::checks_the_database;
use postgres::words::needs::Locale;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::Backup;
use crate::commands::restore::fill::spool::SpoolFolder;
use crate::commands::restore::head::Head;
use crate::commands::restore::locale::DatabaseLocale;
use crate::commands::restore::owners;
use crate::commands::restore::roles::Births;
use crate::commands::restore::server::{Server, Target};
use crate::commands::restore::space::Space;
use crate::commands::restore::swappable::goes_in_place;
use crate::commands::restore::tables::{self, Chosen};
use crate::commands::restore::timeline;
use crate::commands::restore::traps::Traps;
use crate::commands::restore::unfilled;
use crate::commands::restore::wish::Wish;

/// What is so. Nothing in it can be asked or told anything.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) backup: Backup,
    pub(crate) head: Head,
    pub(crate) target: Target,
    /// To whom the restored database will belong.
    pub(crate) database_owner: String,
    /// Settings of the archived database that the role may not give to one.
    pub(crate) refused_settings: Vec<String>,
    /// Settings of functions that it may not give to one.
    pub(crate) refused_in_functions: Vec<String>,
    /// The server's roles; true: the restoring role may give objects to it, and still work with them then.
    pub(crate) roles: BTreeMap<String, bool>,
    /// Those among them that are superusers.
    pub(crate) superusers: BTreeSet<String>,
    /// The roles that are made first: everything else is as if they were there.
    pub(crate) births: Births,
    /// What the server has to offer.
    pub(crate) offers: Offers,
    /// What the live database has already; nothing where there is none.
    pub(crate) present: Present,
    /// Extensions that the server refuses to create, and its words.
    pub(crate) refused_extensions: Vec<(String, String)>,
    /// Extensions that could not be tried, as the database for that has objects of the same names, and the server's words.
    pub(crate) untried_extensions: Vec<(String, String)>,
    /// Text search dictionaries that it refuses to create, and its words.
    pub(crate) refused_dictionaries: Vec<(String, String)>,
    /// What can only be in a database of the archived one's name.
    pub(crate) bound: Vec<String>,
    /// The locale of a database that is to be created.
    pub(crate) locale: DatabaseLocale,
    /// Locales that the server lacks, of collations.
    pub(crate) unknown_collations: Vec<Locale>,
    /// What those may do who will own objects.
    pub(crate) owners_rights: OwnersRights,
    /// On the server's disk; `None` where that is not known.
    pub(crate) space: Option<Space>,
    /// Where rows may wait on this machine.
    pub(crate) spool: SpoolFolder,
    /// Processors of this machine.
    pub(crate) cores: usize,
    /// What is in the live database. Asked only where it may be replaced in place: a large one takes a second.
    pub(crate) objects: Option<Objects>,
    /// What a safety backup of it would fail at, where one will be made.
    pub(crate) undumpable: Undumpable,
    /// Tables of the live database with rows that the archive has none of.
    pub(crate) unfilled: Vec<String>,
    /// Tables of the live database with rows that the archive doesn't define.
    pub(crate) unknown_tables: Vec<String>,
    /// What is so of the live database's tables that rows are to go into; nothing unless rows alone are restored.
    pub(crate) loading: Loading,
    /// What an empty search_path would make fail.
    pub(crate) traps: Traps,
    /// The time of the restore, from which its databases get their names.
    pub(crate) moment: Timestamp,
}

impl Facts {
    /// Reads the archive's head and asks the server. Changes nothing.
    ///
    /// # Errors
    /// When one of them cannot be asked, or the archive is none.
    pub(crate) fn gather(
        wish: &Wish,
        backup: Backup,
        target: Target,
        archive: &Archive,
        server: &Server,
    ) -> Result<Self, Failure> {
        let failed = |e: PsqlError| Failure::new(Exit::Failed, e.to_string());
        let server = &server.kept(&target);
        let (moment, (offers, present), head) = read_head(&target, archive, server)?;
        timeline::reached("the archive's head is read");
        let head = tables::without_extensions(head, &wish.without_extensions)?;
        let size = backup.manifest.as_ref().and_then(|manifest| manifest.database.size);
        let space = Space::ask(&target, size.or_else(|| target.living.as_ref()?.size));
        let attempts = Attempts::make(&head, &target, server).map_err(failed)?;
        let in_place = !wish.data_only && goes_in_place(wish, &target, space, &attempts.bound);
        let objects = if in_place { Some(server.objects(head.encoding())?) } else { None };
        let undumpable = if in_place && !wish.skip_backup { server.undumpable(wish)? } else { Undumpable::default() };
        let births = Births::gather(wish, &backup, archive, &head, server)?;
        let born = births.as_if_born(server);
        let live = target.living.as_ref().map(|_| &born.psql);
        let roles = born.roles()?;
        let database_owner = owners::of_database(&head, &target, &roles);
        let owners_rights =
            OwnersRights::ask(&born.maintenance, live, &owners::named(&head), &[&database_owner, &target.role.name])
                .map_err(failed)?;
        let (refused_settings, refused_in_functions) = refused_settings(&head, &target, server).map_err(failed)?;
        let lacking = |locales: &[Locale]| unknown_locales(&server.maintenance, head.encoding(), locales);
        Ok(Self {
            locale: DatabaseLocale::gather(wish, &head, &target, server)?,
            unknown_collations: lacking(&head.needs.locales.iter().cloned().collect::<Vec<_>>()),
            refused_extensions: attempts.refused_extensions,
            untried_extensions: attempts.untried_extensions,
            refused_dictionaries: attempts.refused_dictionaries,
            bound: attempts.bound,
            offers,
            present,
            owners_rights,
            database_owner,
            refused_settings,
            refused_in_functions,
            superusers: born.superusers()?,
            roles,
            births,
            unfilled: unfilled::ask(&server.psql, &head, &target)?,
            unknown_tables: unfilled::unknown(&server.psql, &head, &target)?,
            spool: SpoolFolder::at(&wish.spool_directory),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            loading: loading(wish, &head, &target, server)?,
            traps: Traps::ask(server, &head, &target)?,
            backup,
            head,
            target,
            space,
            objects,
            undumpable,
            moment,
        })
    }
}

/// Settings that the role may not give to a database, and to functions.
fn refused_settings(head: &Head, target: &Target, server: &Server) -> Result<(Vec<String>, Vec<String>), PsqlError> {
    let of_database: Vec<String> = head.settings().into_iter().map(|(name, _)| name).collect();
    let of_functions: Vec<String> = head.needs.settings_of_functions.iter().map(|(_, name)| name.clone()).collect();
    let refused = |settings: &[String]| refused(&server.maintenance, &target.role, settings);
    Ok((refused(&of_database)?, refused(&of_functions)?))
}

/// The archive's head, and what the server answers while it is on its way.
fn read_head(
    target: &Target,
    archive: &Archive,
    server: &Server,
) -> Result<(Timestamp, (Offers, Present), Head), Failure> {
    let (head, asked) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let moment = server.free_moment(&target.name, Timestamp::now())?;
            Ok((moment, server.offers(target.living.is_some())?))
        });
        let head = Head::read(archive, server);
        let panicked = |_| Err(Failure::new(Exit::Failed, "a part of the restore panicked"));
        (head, asking.join().unwrap_or_else(panicked))
    });
    let (moment, offers) = asked?;
    Ok((moment, offers, head?))
}

fn loading(wish: &Wish, head: &Head, target: &Target, server: &Server) -> Result<Loading, Failure> {
    if !wish.data_only || target.living.is_none() {
        return Ok(Loading::default());
    }
    server.loading(Chosen::of(head, wish)?.tables())
}

/// What can only be found out by trying.
#[derive(Default)]
struct Attempts {
    refused_extensions: Vec<(String, String)>,
    untried_extensions: Vec<(String, String)>,
    refused_dictionaries: Vec<(String, String)>,
    bound: Vec<String>,
}

impl Attempts {
    /// Tries in another database than the one that is restored, as a new one would be another.
    fn make(head: &Head, target: &Target, server: &Server) -> Result<Self, PsqlError> {
        let mut attempts = Self::default();
        let tables = head.contents.iter().filter(|entry| ["TABLE", "DOMAIN"].contains(&entry.kind.as_str()));
        let bound = tables.filter(|entry| entry.definition.as_deref().is_some_and(checks_the_database));
        attempts.bound.extend(
            bound.map(|entry| format!("a CHECK of {}.{}, which asks for current_database()", entry.schema, entry.name)),
        );
        if target.role.superuser {
            let names: Vec<&str> = head.entries("EXTENSION").map(|entry| entry.name.as_str()).collect();
            for (name, refusal) in refused_extensions(&server.maintenance, &names)? {
                match refusal.is_its_own() {
                    true => attempts.bound.push(format!("extension {name} ({})", refusal.words)),
                    false if refusal.is_of_what_is_there() => attempts.untried_extensions.push((name, refusal.words)),
                    false => attempts.refused_extensions.push((name, refusal.words)),
                }
            }
        }
        let dictionaries = head.entries("TEXT SEARCH DICTIONARY");
        let dictionaries: Vec<(&str, &str)> =
            dictionaries.filter_map(|entry| Some((entry.name.as_str(), entry.definition.as_deref()?))).collect();
        attempts.refused_dictionaries = refused_dictionaries(&server.maintenance, &dictionaries)?;
        Ok(attempts)
    }
}
