//! A vault is filled by replication, in any order: nothing is called damaged that only hasn't come yet, everything that is damaged is
//! found, and no verdict counts that came with the copies.

use std::collections::BTreeSet;

use e2e::bucket::Bucket;
use e2e::functions::Function;
use e2e::past::{days_ago, key, put_as_uploaded, stem};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::{AMPLE, Ground, invoke};

/// The account of the vault.
const VAULT: &str = "222222222222";

impl Ground {
    /// A function of the vault.
    fn in_vault(&self, name: &str) -> e2e::functions::Setup {
        self.function(name).setting("BACKUP_S3_VERDICTS_OF", VAULT)
    }

    /// One object comes, as replication brings it, and its event if the stack's rule is about it.
    fn comes(&self, from: &Bucket, key: &str, verify: &mut Function) {
        let metadata = from.head(key).metadata().cloned().unwrap_or_default();
        let metadata: Vec<_> = metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.bucket.put_with(key, &from.get(key), &metadata);
        let wakes = [".manifest.json", ".sql", ".sql.gz", ".sql.zst", ".age"];
        if wakes.iter().any(|end| key.ends_with(end)) {
            verify.invoke(&self.arrival(key), AMPLE).done();
        }
    }

    /// The backups with this verdict of this account; of any other without.
    fn verdicts(&self, outcome: &str, account: &str) -> BTreeSet<String> {
        let ending = format!(".{outcome}{account}.json");
        let keys = self.bucket.keys();
        let names = keys.iter().filter_map(|key| key.strip_suffix(&ending));
        names.map(|name| name.rsplit('/').next().unwrap().to_owned()).collect()
    }
}

/// How a backup is spoilt on its way, and what is found of it.
fn spoil(bucket: &Bucket, archive: &str, how: u32) {
    let metadata = [("lastgood-id", "a-run")];
    let bytes = bucket.get(archive);
    match how {
        0 => {
            let mut flipped = bytes;
            let middle = flipped.len() / 2;
            flipped[middle] ^= 1;
            bucket.put_with(archive, &flipped, &metadata);
        }
        1 => bucket.put_with(archive, &bytes[..bytes.len() - 7], &metadata),
        _ => bucket.put_with(archive, b"something else", &metadata),
    }
}

/// `VAULT_BACKUPS` and `VAULT_ORDERS` for more of them: `make vault`.
#[test]
fn backups_that_come_in_any_order_are_judged_by_what_they_are() {
    let number = |name: &str, usual: u32| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (backups, orders) = (number("VAULT_BACKUPS", 8), number("VAULT_ORDERS", 3));
    let source = Ground::new();
    let nights: Vec<Timestamp> = (0..backups).map(|number| days_ago(1 + i64::from(number))).collect();
    let mut damaged = BTreeSet::new();
    for (number, made) in (0..).zip(nights.iter().copied()) {
        put_as_uploaded(&source.bucket, "shop", made);
        // Each fourth is spoilt, and its verdict at the source is the one from before that.
        if number % 4 == 3 {
            spoil(&source.bucket, &key("shop", made, ".sql.gz"), number / 4 % 3);
            damaged.insert(stem("shop", made));
        }
    }
    let all: BTreeSet<String> = nights.iter().map(|made| stem("shop", *made)).collect();
    let good: BTreeSet<String> = all.difference(&damaged).cloned().collect();
    for order in 0..orders {
        let mut random = StdRng::seed_from_u64(order.into());
        let mut keys = source.bucket.keys();
        keys.shuffle(&mut random);
        let vault = Ground::new();
        let mut verify = Function::start(&vault.in_vault("verify"));
        let sweep = json!({"action": "sweep"});
        for key in &keys {
            vault.comes(&source.bucket, key, &mut verify);
            // A sweep may come at any moment.
            if random.random_ratio(1, 20) {
                verify.invoke(&sweep, AMPLE).done();
            }
            let early = vault.verdicts("damaged", &format!(".{VAULT}"));
            assert!(early.is_subset(&damaged), "order {order}: called damaged before all of it came: {early:?}");
        }
        verify.invoke(&sweep, AMPLE).done();
        let own = format!(".{VAULT}");
        assert_eq!(vault.verdicts("damaged", &own), damaged, "order {order}");
        assert_eq!(vault.verdicts("intact", &own), good, "order {order}");
        assert_eq!(vault.verdicts("intact", ""), all, "order {order}: what came with the copies is still there");
    }
    println!("{orders} orders of {backups} backups, of which {} were damaged", damaged.len());
}

/// S3 gives a copy the times of the original: a verdict may be newer than the archive that it hadn't seen.
#[test]
fn archive_that_comes_after_it_was_called_missing_is_judged_anew() {
    for (what, code) in [("its archive came late", "missing"), ("its manifest came late", "uncommitted")] {
        let vault = Ground::new();
        let made = days_ago(3);
        put_as_uploaded(&vault.bucket, "shop", made);
        let early = json!({"kind": "verdict", "version": 1, "outcome": "damaged", "content": "unread",
            "findings": [{"code": code, "text": "it wasn't there"}],
            "identity": {"key": key("shop", made, ".sql.gz"), "versionId": null, "etag": null, "size": 1, "crc64nvme": null},
            "digest": null, "verifier": {"name": "function", "version": "0.1.0", "host": "vault-verify"},
            "verified": "2026-01-20T03:00:00Z"});
        let early_key = key("shop", made, &format!(".damaged.{VAULT}.json"));
        vault.bucket.put(&early_key, early.to_string().as_bytes());
        let judged = invoke(&vault.in_vault("verify"), &json!({"action": "sweep"})).done();
        assert_eq!(judged["backups"][0]["outcome"], "intact", "{what}: {judged}");
        let measured = json!({"action": "measure", "scheduled": "2026-01-20T03:15:00Z"});
        invoke(&vault.in_vault("freshness"), &measured).done();
        assert_eq!(vault.metric("DamagedSinceGood", None), Some(0.0), "{what}");
        // A real one stays damaged, without being read again.
        let archive = key("shop", made, ".sql.gz");
        spoil(&vault.bucket, &archive, 0);
        vault.bucket.delete(&key("shop", made, &format!(".intact.{VAULT}.json")));
        vault.bucket.delete(&early_key);
        let first = invoke(&vault.in_vault("verify"), &vault.arrival(&archive)).done();
        assert_eq!(first["backups"][0]["outcome"], "damaged", "{first}");
        let again = invoke(&vault.in_vault("verify"), &vault.arrival(&archive)).done();
        assert_eq!(again["backups"][0]["reason"], "it has its verdict", "{again}");
    }
}

/// A manifest without its archive is waited for: no failure, no dead letter, no alarm.
#[test]
fn manifest_that_comes_first_is_waited_for() {
    let (source, vault) = (Ground::new(), Ground::new());
    let [earlier, newest] = [2, 1].map(days_ago);
    for made in [earlier, newest] {
        put_as_uploaded(&source.bucket, "shop", made);
    }
    let verify = vault.in_vault("verify");
    let mut verify = Function::start(&verify);
    for end in [".sql.gz", ".manifest.json"] {
        vault.comes(&source.bucket, &key("shop", earlier, end), &mut verify);
    }
    let manifest = key("shop", newest, ".manifest.json");
    vault.bucket.put(&manifest, &source.bucket.get(&manifest));
    for event in [vault.arrival(&manifest), json!({"action": "sweep"})] {
        let waits = verify.invoke(&event, AMPLE).done();
        let reasons = waits["backups"].as_array().unwrap().iter().map(|backup| &backup["reason"]);
        let expected = if event["action"].is_null() { vec![json!("its archive hasn't come")] } else { vec![] };
        assert_eq!(reasons.cloned().collect::<Vec<Value>>(), expected, "{waits}");
    }
    assert!(vault.bucket.keys().contains(&key("shop", newest, &format!(".awaited.{VAULT}.json"))));
    for _ in 0..2 {
        let measured = json!({"action": "measure", "scheduled": "2026-01-20T03:15:00Z"});
        invoke(&vault.in_vault("freshness"), &measured).done();
    }
    assert_eq!(vault.metric("DamagedSinceGood", None), Some(0.0), "it isn't lost");
    assert_eq!(vault.messages().iter().filter(|message| message.subject.contains("damaged")).count(), 0);
    vault.comes(&source.bucket, &key("shop", newest, ".sql.gz"), &mut verify);
    assert_eq!(vault.verdicts("intact", &format!(".{VAULT}")).len(), 2);
}

/// Whoever rules the first account gives a version any time: one that is older than its predecessor's verdict is read all the same.
#[test]
fn archive_or_manifest_that_is_replaced_is_judged_anew_whatever_its_time() {
    for replaced in [".sql.gz", ".manifest.json"] {
        let vault = Ground::new();
        let made = days_ago(3);
        put_as_uploaded(&vault.bucket, "shop", made);
        let manifest = key("shop", made, ".manifest.json");
        let first = invoke(&vault.in_vault("verify"), &vault.arrival(&manifest)).done();
        assert_eq!(first["backups"][0]["outcome"], "intact", "{first}");
        let again = invoke(&vault.in_vault("verify"), &vault.arrival(&manifest)).done();
        assert_eq!(again["backups"][0]["reason"], "it has its verdict", "an event that comes twice: {again}");
        let replaced_key = key("shop", made, replaced);
        vault.bucket.put_with(&replaced_key, b"{}", &[("lastgood-id", "a-run")]);
        // The store's times are as if the replacement had lain there before the verdict.
        let verdict = key("shop", made, &format!(".intact.{VAULT}.json"));
        vault.bucket.put(&verdict, &vault.bucket.get(&verdict));
        let found = invoke(&vault.in_vault("verify"), &vault.arrival(&replaced_key)).done();
        assert_eq!(found["backups"][0]["outcome"], "damaged", "{replaced}: {found}");
    }
}

/// What the first account's functions said and wrote is there, and counts for nothing; it goes with the backup.
#[test]
fn what_came_with_the_copies_counts_for_nothing_and_goes_with_its_backup() {
    let vault = Ground::new();
    let [newest, second, oldest] = [1, 2, 3].map(days_ago);
    for made in [newest, second, oldest] {
        put_as_uploaded(&vault.bucket, "shop", made);
    }
    // Forged, and at the source it counts.
    spoil(&vault.bucket, &key("shop", newest, ".sql.gz"), 0);
    for end in [".manifest.json", ".intact.json"] {
        let forged = key("shop", newest, end);
        vault.bucket.put(&forged, &vault.bucket.get(&forged));
    }
    vault.bucket.put("backups/status/sweep.json", br#"{"version": 1}"#);
    let measured = json!({"action": "measure", "scheduled": "2026-01-20T03:15:00Z"});
    invoke(&vault.in_vault("freshness"), &measured).done();
    let age = vault.metric("AgeOfNewestGood", None).unwrap();
    assert!(age > 10_000.0 * 3600.0, "nothing was proved here: {age}");
    invoke(&vault.in_vault("verify"), &json!({"action": "sweep"})).done();
    let own = format!(".{VAULT}");
    assert_eq!(vault.verdicts("damaged", &own), BTreeSet::from([stem("shop", newest)]));
    assert_eq!(vault.verdicts("intact", &own), [second, oldest].map(|made| stem("shop", made)).into());
    let keys = vault.bucket.keys();
    let written: Vec<_> = keys.iter().filter(|key| key.contains("/status/")).collect();
    let of_others = "backups/status/sweep.json";
    let own = |key: &&String| key.starts_with(&format!("backups/status/{VAULT}/")) || key.as_str() == of_others;
    assert!(written.len() > 2 && written.iter().all(own), "{written:?}");
    assert_eq!(vault.bucket.get(of_others), br#"{"version": 1}"#);

    let retention = vault.in_vault("retention");
    // The store calls all of them written now: so it isn't age that says what goes.
    let rules = [
        ("BACKUP_S3_DELETE_DAYS", "0"),
        ("BACKUP_KEEP_LAST", "1"),
        ("BACKUP_MIN_GOOD", "1"),
        ("BACKUP_NEVER_YOUNGER_DAYS", "0"),
    ];
    let retention = rules.iter().fold(retention, |setup, (name, value)| setup.setting(name, value));
    invoke(&retention, &json!({"action": "prune"})).done();
    let oldest = stem("shop", oldest);
    let left: Vec<_> = vault.bucket.keys().into_iter().filter(|key| key.contains(&oldest)).collect();
    assert_eq!(left, Vec::<String>::new(), "the verdict of the source as well");
}
