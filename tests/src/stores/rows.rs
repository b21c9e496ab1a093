//! Every row, in the order of the table.

mod naming;
mod network;
mod reading;
mod refusals;
mod removing;
mod storing;

use super::ground::Ground;
use super::row::Row;
use super::trouble::Tried;

/// All of them.
pub const ROWS: &[Row] = &[
    row("dry-run", "`backup --dry-run` writes nothing", storing::a_dry_run_writes_nothing),
    row("put", "`backup`, a small archive by one put", storing::a_small_archive_is_put),
    row("multipart", "`backup`, a large archive in parts, every default", storing::a_large_archive_goes_in_parts),
    row("md5", "the same with `BACKUP_S3_CHECKSUM=md5`", storing::parts_have_an_md5),
    row("none", "the same with `BACKUP_S3_CHECKSUM=none`", storing::parts_have_no_checksum),
    row("read", "`verify`, `list` and `check`", reading::what_was_stored_is_good),
    row("restore", "`restore --into` gives the same database", reading::a_restore_gives_the_same_database),
    row("adopt", "`adopt` of another tool's archive", reading::a_guest_is_adopted),
    row("others", "1,200 other objects beside the backup", reading::other_objects_are_left_alone),
    row("prune", "`prune` removes what is old and nothing else", removing::what_is_old_goes_and_nothing_else),
    row("versions", "`prune` in a bucket that keeps versions leaves none", removing::no_version_is_left),
    row("marks", "the mark of a database is written once and stays retired", naming::a_mark_is_written_once),
    row("name", "`--name` twice: the second is refused, the first stays whole", naming::a_name_is_given_once),
    row("one-host", "two runs at once on one host: the second is refused", naming::one_host_runs_one_at_a_time),
    row(
        "two-hosts-put",
        "two runs at once of one name on two hosts: one is kept whole, one fails",
        naming::two_hosts_put,
    ),
    row("two-hosts-parts", "the same with a large archive", naming::two_hosts_in_parts),
    row("cuts", "three connections cut within the archive", network::three_cuts_are_mended),
    row("lost-create", "the answer to the beginning of the upload is lost", network::a_lost_beginning),
    row("lost-complete", "the answer to the end of the upload is lost", network::a_lost_completion),
    row("lost-put", "the answers to the puts are lost", network::lost_puts),
    row("kill", "`kill -9`: nothing shows, and the next run works", network::a_killed_run_shows_nothing),
    row("bucket", "no such bucket: exit 2 and a hint", refusals::a_missing_bucket_is_named),
    row("key", "an unknown access key: exit status and hint", refusals::an_unknown_key_is_named),
    row("secret", "a wrong secret: exit status and hint", refusals::a_wrong_secret_is_named),
    row("region", "a wrong region: exit 2 and the right one in the hint", refusals::a_wrong_region_is_named),
];

const fn row(name: &'static str, title: &'static str, try_at: fn(&Ground) -> Tried) -> Row {
    Row { name, title, try_at }
}
