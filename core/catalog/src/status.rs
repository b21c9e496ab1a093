//! What the functions leave behind about themselves under `status/`, so that a watcher that died is missed, and so that a host
//! learns without any mail what the cloud side found.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::backup::BackupId;
use crate::document::{DocumentError, Kind, Unknown};
use crate::object::Object;
use crate::retention::Vanished;

const RUN: Kind = Kind { what: "status of a run", version: 1 };
const HEALTH: Kind = Kind { what: "status of the cloud side", version: 1 };

/// Freshness looks each quarter of an hour: after this it has stopped.
const STOPPED: SignedDuration = SignedDuration::from_hours(1);

/// The end of a run that looked at everything: `status/sweep.json`, `status/prune.json`. In JSON, times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// When it ended.
    pub finished: Timestamp,
    /// How many backups are in Glacier and were due to be read again; a sweep's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_glacier: Option<u64>,
    /// When the bytes that were read the longest time ago were found intact, of all that can be read; a sweep's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_verdict: Option<Timestamp>,
    /// What goes next of each database, by retention's rules as they are; a run of retention's alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<GoesNext>,
    /// Backups that are damaged or have lost their archive, of all that it listed, each with its date folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<String>,
    /// What it found wrong, a plain sentence each: a plan that was refused, a database with too few good backups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<String>,
    /// Backups that somebody else removed within a week; a run of retention's alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vanished: Vec<Vanished>,
    /// Backups that have lost rows, which nobody has accepted; a run of retention's alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shrunk: Vec<Shrunk>,
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
}

/// A backup that has lost rows or tables, which nobody has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shrunk {
    /// Its name, with its date folder.
    pub backup: BackupId,
    /// What it has lost: the record beside it.
    pub record: Object,
    /// When it keeps no other backup any more.
    pub until: Timestamp,
    /// How many backups stay for its sake alone.
    pub kept: u64,
}

/// What a database has further back than the days that freshness lists each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Further {
    /// When it was asked for.
    pub asked: Timestamp,
    /// The objects of its newest good backup, of its newest one, and of what was lost since the good one.
    pub objects: Vec<Object>,
}

/// The backup of a database that retention removes next, if a good one comes each day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoesNext {
    /// The PostgreSQL name.
    pub database: String,
    /// The shortest name that finds the backup.
    pub backup: String,
    /// From when on.
    pub from: Timestamp,
}

/// What freshness found: `status/freshness.json`. In JSON, times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// When it looked.
    pub measured: Timestamp,
    /// How many people or programs confirmed that they get the alarms; null where it couldn't be asked.
    pub listeners: Option<u64>,
    /// How many were asked and haven't confirmed.
    pub unconfirmed: Option<u64>,
    /// What is wrong, a plain sentence each; empty when all is well.
    pub standing: Vec<String>,
    /// Databases that are expected: one whose mark vanishes is missed by this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
    /// Databases whose backups come although nothing says that they are expected: nobody would miss them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmarked: Vec<String>,
    /// When it looked for the first time: from then on the other functions' runs are missed when they don't come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When the last daily message was due that was sent, or needn't be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<Timestamp>,
    /// What a message has told and what still is so: it is told again only when it comes again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
    /// Whether somebody hears by another way than the topic: a monitor that is asked while all is well, or a pager.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub heard_elsewhere: bool,
    /// Of each database without a good backup in the last days, by its PostgreSQL name, what it has further back: asked for once a
    /// day.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub further: BTreeMap<String, Further>,
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
}

impl Run {
    /// The end of a run at `finished`, with nothing more to say.
    #[must_use]
    pub fn at(finished: Timestamp) -> Self {
        let (next, damaged, standing, vanished, shrunk) = Default::default();
        let (in_glacier, oldest_verdict, unknown) = (None, None, Unknown::default());
        Self { finished, in_glacier, oldest_verdict, next, damaged, standing, vanished, shrunk, unknown }
    }

    /// Reads the status of a run.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (run, unknown) = RUN.read::<Self>(json)?;
        Ok(Self { unknown, ..run })
    }

    /// The status as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        RUN.write(self, &self.unknown)
    }
}

impl Health {
    /// Whether nobody gets the alarms, as far as could be asked. Who was asked and hasn't confirmed was meant to.
    #[must_use]
    pub fn is_unheard(&self) -> bool {
        self.listeners == Some(0) && !(self.heard_elsewhere && self.unconfirmed == Some(0))
    }

    /// How long ago it looked, where that is so long that it has stopped.
    #[must_use]
    pub fn stopped_for(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(now.duration_since(self.measured)).filter(|age| *age > STOPPED)
    }

    /// What is known before anything was found: nothing.
    #[must_use]
    pub fn at(measured: Timestamp) -> Self {
        let [standing, expected, unmarked, told] = [const { Vec::new() }; 4];
        let (listeners, unconfirmed, since, reminded) = (None, None, None, None);
        let unknown = Unknown::default();
        let heard_elsewhere = false;
        Self {
            measured,
            listeners,
            unconfirmed,
            standing,
            expected,
            unmarked,
            since,
            reminded,
            told,
            heard_elsewhere,
            further: BTreeMap::new(),
            unknown,
        }
    }

    /// Reads what freshness found.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (health, unknown) = HEALTH.read::<Self>(json)?;
        Ok(Self { unknown, ..health })
    }

    /// The status as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        HEALTH.write(self, &self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::time;

    #[test]
    fn a_run_is_this_document_and_says_only_what_it_knows() {
        let plain = Run::at(time("2026-01-20T05:15:09Z"));
        let json = String::from_utf8(plain.to_json().unwrap()).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "version": 1,
          "finished": "2026-01-20T05:15:09Z"
        }
        "#);
        assert_eq!(Run::from_json(json.as_bytes()).unwrap(), plain);
        let next = GoesNext {
            database: "app".into(),
            backup: "app_backup_20251022_030000".into(),
            from: time("2026-01-21T03:00:00Z"),
        };
        let full = Run {
            in_glacier: Some(3),
            oldest_verdict: Some(plain.finished),
            next: vec![next],
            damaged: vec!["20260119/app_backup_20260119_030000".into()],
            standing: vec!["its plan was refused".into()],
            shrunk: vec![Shrunk {
                backup: "20260119/app_backup_20260119_030000".parse().unwrap(),
                record: crate::testing::object(
                    "backups/20260119/app_backup_20260119_030000.shrunk.json",
                    300,
                    plain.finished,
                ),
                until: time("2026-02-18T03:00:00Z"),
                kept: 12,
            }],
            ..plain
        };
        assert_eq!(Run::from_json(&full.to_json().unwrap()).unwrap(), full);
    }

    #[test]
    fn silence_of_an_hour_is_a_stop_and_nobody_is_not_unknown() {
        let health = Health::at(time("2026-01-20T05:00:00Z"));
        assert_eq!(health.stopped_for(time("2026-01-20T06:00:00Z")), None);
        assert_eq!(health.stopped_for(time("2026-01-20T07:00:00Z")), Some(SignedDuration::from_hours(2)));
        assert!(!health.is_unheard(), "it could not be asked");
        assert!(Health { listeners: Some(0), ..health.clone() }.is_unheard());
        let unheard = |unconfirmed| {
            Health { listeners: Some(0), unconfirmed: Some(unconfirmed), heard_elsewhere: true, ..health.clone() }
                .is_unheard()
        };
        assert_eq!(
            (unheard(0), unheard(1)),
            (false, true),
            "a monitor or a pager is enough, unless somebody else was asked"
        );
    }

    #[test]
    fn health_is_this_document() {
        let health = Health {
            measured: time("2026-01-20T05:15:09Z"),
            listeners: Some(0),
            unconfirmed: Some(1),
            standing: vec!["Nobody gets the alarms".into()],
            ..Health::at(time("2026-01-20T05:15:09Z"))
        };
        let json = String::from_utf8(health.to_json().unwrap()).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "version": 1,
          "measured": "2026-01-20T05:15:09Z",
          "listeners": 0,
          "unconfirmed": 1,
          "standing": [
            "Nobody gets the alarms"
          ]
        }
        "#);
        assert_eq!(Health::from_json(json.as_bytes()).unwrap(), health);
        let full = Health {
            expected: vec!["app".into()],
            unmarked: vec!["shop".into()],
            since: Some(health.measured),
            reminded: Some(health.measured),
            told: vec!["stale/app".into()],
            ..health
        };
        assert_eq!(Health::from_json(&full.to_json().unwrap()).unwrap(), full);
    }
}
