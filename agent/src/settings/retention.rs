//! From the settings to retention's policies: the one place that says which age applies where.

use catalog::Policy;
use catalog::retention::Age;

use super::definition::Setting;
use super::layers::Layers;
use super::table;

/// For a bucket, whose age is `BACKUP_S3_DELETE_DAYS`.
pub(super) fn bucket(layers: &Layers) -> Policy {
    policy(layers, &table::BACKUP_S3_DELETE_DAYS)
}

/// For a directory without a bucket behind it, whose age is `BACKUP_RETENTION_DAYS`.
pub(super) fn directory(layers: &Layers) -> Policy {
    policy(layers, &table::BACKUP_RETENTION_DAYS)
}

fn policy(layers: &Layers, age: &Setting<u32>) -> Policy {
    // Texts that are wrong are among the mistakes already, so that their numbers here are never used.
    let count = |setting| layers.get(setting).unwrap_or_default();
    let rules = Policy {
        keep_last: count(&table::BACKUP_KEEP_LAST),
        daily: count(&table::BACKUP_KEEP_DAILY),
        weekly: count(&table::BACKUP_KEEP_WEEKLY),
        monthly: count(&table::BACKUP_KEEP_MONTHLY),
        yearly: count(&table::BACKUP_KEEP_YEARLY),
        minimum_good: count(&table::BACKUP_MIN_GOOD),
        never_younger_days: count(&table::BACKUP_NEVER_YOUNGER_DAYS),
        ..Policy::default()
    };
    let days = layers.get(age).unwrap_or_default();
    Policy::from_rules(
        rules,
        if layers.set_as(&age.definition).is_some() { Age::Set(days) } else { Age::Default(days) },
    )
}

#[cfg(test)]
mod tests {
    use super::super::layers::{Layer, Source};
    use super::*;

    fn layers(set: &[(&str, &str)]) -> Layers {
        let mut layer = Layer::default();
        set.iter().for_each(|(name, text)| layer.set(*name, *text, Source::Environment));
        Layers::new(vec![layer])
    }

    #[test]
    fn an_age_is_the_default_unless_keep_rules_say_what_stays() {
        let ages = |set: &[(&str, &str)]| [bucket, directory].map(|policy| policy(&layers(set)).delete_after_days);
        assert_eq!(ages(&[]), [Some(90), Some(30)]);
        assert_eq!(ages(&[("BACKUP_KEEP_DAILY", "7")]), [None, None]);
        assert_eq!(ages(&[("BACKUP_KEEP_DAILY", "7"), ("BACKUP_S3_DELETE_DAYS", "90")]), [Some(90), None]);
        assert_eq!(ages(&[("BACKUP_KEEP_DAILY", "7"), ("BACKUP_S3_RETENTION_DAYS", "9")]), [None, Some(9)]);
        assert_eq!(ages(&[("BACKUP_S3_DELETE_DAYS", "0"), ("BACKUP_RETENTION_DAYS", "0")]), [None, None]);
    }
}
