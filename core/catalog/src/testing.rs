//! Listings for the tests, in the words of the tests.

use std::time::Duration;

use archive::{Census, Crc64, Digest, LargeObjectCensus, Md5, Sha256Hex, TableCensus};
use jiff::{SignedDuration, Timestamp};

use crate::backup::{BackupId, Stem, Tag};
use crate::layout::{Layout, Record};
use crate::manifest::{Agent, Archive, Database, Purpose};
use crate::object::Object;
use crate::{Catalog, Manifest, Origin, State, Unknown, catalogs};

pub(crate) const SIZE: u64 = 1_000_000;

/// The keys and rows of a bucket that holds one database, `app`.
#[derive(Clone)]
pub(crate) struct Listing {
    pub(crate) layout: Layout,
    pub(crate) objects: Vec<Object>,
    guests: Vec<String>,
    unfinished: Vec<String>,
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn object(key: &str, size: u64, last_modified: Timestamp) -> Object {
    Object { key: key.to_owned(), size, last_modified, etag: None, version_id: None, readable: true }
}

impl Listing {
    pub(crate) fn bucket() -> Self {
        Self { layout: Layout::bucket("backups"), objects: Vec::new(), guests: Vec::new(), unfinished: Vec::new() }
    }

    pub(crate) fn directory() -> Self {
        Self { layout: Layout::directory(), ..Self::bucket() }
    }

    pub(crate) fn id(&self, tag: &Tag, began: Timestamp) -> BackupId {
        self.layout.place(Stem::new("app", tag).unwrap(), began)
    }

    pub(crate) fn archive(&mut self, id: &BackupId, size: u64, written: Timestamp) -> String {
        let key = self.layout.archive(id, archive::Compression::Gzip, false);
        self.objects.push(object(&key, size, written));
        key
    }

    pub(crate) fn record(&mut self, id: &BackupId, record: Record, written: Timestamp) {
        self.objects.push(object(&self.layout.record(id, record), 100, written));
    }

    /// A backup with this tag, written a minute after `began`, whose objects make it `state`.
    pub(crate) fn add(&mut self, state: State, tag: &Tag, began: Timestamp) -> BackupId {
        self.add_sized(state, tag, began, SIZE)
    }

    pub(crate) fn add_sized(&mut self, state: State, tag: &Tag, began: Timestamp, size: u64) -> BackupId {
        let id = self.id(tag, began);
        let minute = |minutes| began + SignedDuration::from_mins(minutes);
        if state != State::Missing {
            let key = self.archive(&id, size, minute(1));
            match state {
                State::Guest => self.guests.push(key),
                State::Unfinished => self.unfinished.push(key),
                _ => {}
            }
        }
        if !matches!(state, State::Alone | State::Guest | State::Unfinished) {
            self.record(&id, Record::Manifest, minute(2));
        }
        match state {
            State::Good => self.record(&id, Record::Intact, minute(3)),
            State::Damaged => self.record(&id, Record::Damaged, minute(3)),
            _ => {}
        }
        id
    }

    /// A backup named by its time.
    pub(crate) fn at(&mut self, state: State, began: &str) -> BackupId {
        let began = time(began);
        self.add(state, &Tag::At(began), began)
    }

    pub(crate) fn catalog(&self) -> Catalog {
        let mut catalogs = catalogs(&self.layout, self.objects.clone());
        let empty = Catalog { database: "app".into(), entries: Vec::new(), expected: None };
        let mut catalog = catalogs.pop().unwrap_or(empty);
        assert!(catalogs.is_empty(), "a listing of the tests holds one database");
        catalog.resolve(|entry| {
            let key = &entry.archive.as_ref()?.key;
            let guest = self.guests.contains(key).then_some(Origin::Guest);
            guest.or_else(|| self.unfinished.contains(key).then_some(Origin::Ours))
        });
        catalog
    }
}

/// A manifest of two tables, without anything unknown.
pub(crate) fn manifest() -> Manifest {
    let table = |schema: &str, name: &str, rows, bytes, digest| TableCensus {
        schema: schema.into(),
        name: name.into(),
        rows,
        bytes,
        sha256: Sha256Hex([digest; 32]),
        called: None,
    };
    Manifest {
        stem: "app_backup_20260120_030000".parse().unwrap(),
        purpose: Purpose::Backup,
        database: Database {
            name: "app".into(),
            encoding: Some("UTF8".into()),
            server_version: Some("15.14 (Debian 15.14-0+deb12u1)".into()),
            size: Some(612_345_678),
            session: [("TimeZone".into(), "Europe/Berlin".into())].into(),
        },
        archive: Archive {
            key: "backups/20260120/app_backup_20260120_030000.sql.gz".into(),
            version_id: Some("3HL4kqtJlcpXroDTDmJ".into()),
            etag: Some("9b2cf535f27731c974343645a3985328-8".into()),
            digest: Digest { size: SIZE, md5: Md5([0xab; 16]), crc64nvme: Crc64(0xae8b_1486_0a79_9888) },
            compression: archive::Compression::Gzip,
            frame_size: Some(1 << 20),
            encryption: None,
            pg_dump_version: Some("15.14".into()),
            format_version: Some("1.14-0".into()),
            dump_options: None,
        },
        census: Census {
            tables: vec![table("public", "users", Some(12), 345, 1), table("audit", "log of \"all\"", None, 6_789, 2)],
            large_objects: LargeObjectCensus { count: 1, bytes: 2_048, sha256: Sha256Hex([3; 32]) },
        },
        globals: None,
        shrunk: None,
        index: None,
        erased: None,
        agent: Agent { version: "0.1.0".into(), host: "db1".into() },
        started: time("2026-01-20T03:00:00.25Z"),
        finished: time("2026-01-20T03:00:12.592Z"),
        duration: Duration::from_millis(12_342),
        warnings: vec!["pg_dump: warning: there are circular foreign-key constraints".into()],
        unknown: Unknown::default(),
    }
}
