//! What a restore is decided by: all of it asked first, and nothing but plain values.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postgres::database::objects::Objects;

use crate::answers::failure::Failure;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::Backup;
use crate::commands::restore::fill::spool::SpoolFolder;
use crate::commands::restore::head::Head;
use crate::commands::restore::server::{Server, Target};
use crate::commands::restore::space::Space;
use crate::commands::restore::swappable::goes_in_place;
use crate::commands::restore::wish::Wish;

/// What is so. Nothing in it can be asked or told anything.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) backup: Backup,
    pub(crate) head: Head,
    pub(crate) target: Target,
    /// The server's roles; true: the restoring role may act as it.
    pub(crate) roles: BTreeMap<String, bool>,
    /// On the server's disk; `None` where that is not known.
    pub(crate) space: Option<Space>,
    /// Where rows may wait on this machine.
    pub(crate) spool: SpoolFolder,
    /// Processors of this machine.
    pub(crate) cores: usize,
    /// What is in the live database. Asked only where it may be replaced in place: a large one takes a second.
    pub(crate) objects: Option<Objects>,
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
        let moment = server.free_moment(&target.name, Timestamp::now())?;
        let head = Head::read(archive, server)?;
        let size = backup.manifest.as_ref().and_then(|manifest| manifest.database.size);
        let space = Space::ask(&target, size.or_else(|| target.living.as_ref()?.size));
        let objects = if goes_in_place(wish, &target, space) { Some(server.objects(head.encoding())?) } else { None };
        Ok(Self {
            roles: server.roles()?,
            spool: SpoolFolder::at(&wish.spool_directory),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            backup,
            head,
            target,
            space,
            objects,
            moment,
        })
    }
}
