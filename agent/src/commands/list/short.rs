//! A backup's name without its database's.

use catalog::BackupId;

/// What is between a database's name and a backup's time or label.
const MARK: &str = "_backup_";

/// The time or label alone, where every command finds the backup of the one chosen `database` by that; otherwise the whole name.
pub(super) fn name<'a>(name: &'a str, database: &str) -> &'a str {
    let tag = name.strip_prefix(database).and_then(|rest| rest.strip_prefix(MARK));
    let is_found = |tag: &&str| {
        let id = BackupId::of_tag(tag, database);
        tag.parse::<BackupId>().is_err() && id.is_some_and(|id| id.stem.to_string() == name)
    };
    tag.filter(is_found).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_where_it_is_found_by_that() {
        assert_eq!(name("shop_backup_20261122_030000", "shop"), "20261122_030000");
        assert_eq!(name("shop_backup_initial", "shop"), "initial");
        for whole in ["20261122/shop_backup_initial", "shop_backup_x_backup_initial", "blog_backup_initial"] {
            assert_eq!(name(whole, "shop"), whole);
        }
    }
}
