//! What the functions leave behind about themselves under `status/`, so that a watcher that died is missed, and so that a host
//! learns without any mail what the cloud side found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::{DocumentError, Kind, Unknown};

const RUN: Kind = Kind { what: "status of a run", version: 1 };
const HEALTH: Kind = Kind { what: "status of the cloud side", version: 1 };

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
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
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
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
}

impl Run {
    /// The end of a run at `finished`, with nothing more to say.
    #[must_use]
    pub fn at(finished: Timestamp) -> Self {
        Self { finished, in_glacier: None, oldest_verdict: None, next: Vec::new(), unknown: Unknown::default() }
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
        let full = Run { in_glacier: Some(3), oldest_verdict: Some(plain.finished), next: vec![next], ..plain };
        assert_eq!(Run::from_json(&full.to_json().unwrap()).unwrap(), full);
    }

    #[test]
    fn health_is_this_document() {
        let health = Health {
            measured: time("2026-01-20T05:15:09Z"),
            listeners: Some(0),
            unconfirmed: Some(1),
            standing: vec!["Nobody gets the alarms".into()],
            unknown: Unknown::default(),
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
    }
}
