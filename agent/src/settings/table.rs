//! Every setting there is. What is read, what `lastgood config` shows, docs/settings.md and the hints for misspelt names
//! all come from here.

use std::path::PathBuf;
use std::time::Duration;

use postgres::Secret;

use super::database_url::DatabaseUrl;
use super::definition::{Definition, Section, Setting, settings};
use super::form::{self, Checksum, Compression, Defaults, ServerSideEncryption, Verify};

/// What `restore-db.sh` did of old, where there is such a thing to stop.
const STOP_GUIDES_SERVICES: &str = "if docker-compose config -q 2>/dev/null; then docker-compose stop api celery_worker web; \
                                    else echo 'warning: no services were stopped: there is no docker-compose file here' >&2; fi";
const START_GUIDES_SERVICES: &str =
    "if docker-compose config -q 2>/dev/null; then docker-compose start api celery_worker web; fi";

settings! {
    Database {
        /// The server's host name, address, or socket folder. `DB_*` wins over `DATABASE_URL`, which wins over `PG*`.
        DB_HOST: String = TEXT { guide: Some("localhost"), per_database: true }
        /// The server's port.
        DB_PORT: u16 = PORT { guide: Some("5432"), per_database: true }
        /// The database to back up.
        DB_NAME: String = TEXT { guide: Some("astro"), per_database: true }
        /// The role to connect as.
        DB_USER: String = TEXT { guide: Some("astro_user"), per_database: true }
        /// The role's password. `~/.pgpass` or a service file keeps it out of the environment.
        DB_PASSWORD: Secret = SECRET { secret: true, per_database: true }
        /// The same in one URL, as many applications have it; SQLAlchemy's `postgresql+asyncpg://` is understood.
        DATABASE_URL: DatabaseUrl = DATABASE_URL { secret: true, per_database: true }
        /// Where `psql`, `pg_dump` and `pg_restore` lie. Unset: `PATH` and the usual folders, of which the version that fits the server is taken.
        PG_BIN_DIR: PathBuf = PATH {}
        /// How long pg_dump waits for a table's lock before it gives up, so that it never makes a production system queue. `0s` waits for ever.
        BACKUP_LOCK_TIMEOUT: Duration = DURATION { default: Some("30s"), per_database: true }
        /// More options for pg_dump, such as `--exclude-table-data=logs`.
        BACKUP_PG_DUMP_OPTIONS: Vec<String> = DUMP_OPTIONS { per_database: true }
    }
    Destination {
        /// The folder for local backups. Unset: no local copy where a bucket is set, else `/var/backups/lastgood`.
        BACKUP_DIR: PathBuf = PATH { guide: Some("/var/backups/astro-db") }
        /// The bucket for backups. Unset: backups stay in `BACKUP_DIR` and AWS is never asked.
        BACKUP_S3_BUCKET: String = BUCKET {}
        /// What every key in the bucket begins with.
        BACKUP_S3_PREFIX: String = PREFIX { default: Some("backups") }
        /// The bucket's region. Unset: the profile's, else `us-east-1`.
        AWS_REGION: String = TEXT { aliases: &["AWS_DEFAULT_REGION"] }
        /// An S3 server that isn't AWS: R2, MinIO, SeaweedFS, B2.
        BACKUP_S3_ENDPOINT: String = HTTP_URL { aliases: &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] }
        /// The name of a backup, such as `initial`, in place of its time.
        BACKUP_NAME: String = LABEL {}
    }
    Identity {
        /// The access key for backups alone. Wins over `AWS_ACCESS_KEY_ID`.
        BACKUP_AWS_ACCESS_KEY_ID: String = TEXT {}
        /// The secret that belongs to `BACKUP_AWS_ACCESS_KEY_ID`.
        BACKUP_AWS_SECRET_ACCESS_KEY: Secret = SECRET { secret: true }
        /// The session token of temporary `BACKUP_AWS_*` keys.
        BACKUP_AWS_SESSION_TOKEN: Secret = SECRET { secret: true }
        /// The access key, where the application's own keys may write backups too.
        AWS_ACCESS_KEY_ID: String = TEXT {}
        /// The secret that belongs to `AWS_ACCESS_KEY_ID`.
        AWS_SECRET_ACCESS_KEY: Secret = SECRET { secret: true }
        /// The session token of temporary keys.
        AWS_SESSION_TOKEN: Secret = SECRET { secret: true }
        /// The profile of `~/.aws/config` to act as, also one of `aws sso login` or `credential_process`; `--aws-profile` says it for one run. It wins over keys that were set farther away than it. Unset, and no keys: what the AWS SDK finds, such as the role of the machine.
        AWS_PROFILE: String = TEXT {}
    }
    Bucket {
        /// Put the bucket's name into the path, not into the host name. Unset: only where `BACKUP_S3_ENDPOINT` is set.
        BACKUP_S3_PATH_STYLE: bool = SWITCH {}
        /// The storage class of archives, such as `STANDARD_IA`. Records stay in STANDARD, where they are read often.
        BACKUP_S3_STORAGE_CLASS: String = STORAGE_CLASS {}
        /// How the bucket encrypts: `AES256` or `aws:kms`. Unset: as the bucket itself is set.
        BACKUP_S3_SSE: ServerSideEncryption = SSE {}
        /// The key for `aws:kms`. Unset: the account's own key for S3.
        BACKUP_S3_KMS_KEY_ID: String = TEXT {}
        /// The size of the first parts of an upload; later parts grow where an archive would need too many.
        BACKUP_S3_PART_SIZE: u64 = PART_SIZE { default: Some("8MiB") }
        /// How many parts are on their way at once. Memory is about this times the size of a part.
        BACKUP_S3_PARTS_IN_FLIGHT: u32 = POSITIVE { default: Some("4") }
        /// How many parts the store takes at most. Scaleway takes 1000.
        BACKUP_S3_MAX_PARTS: u32 = POSITIVE { default: Some("10000") }
        /// Every part but the last has the same size, as R2 wants it.
        BACKUP_S3_EQUAL_PARTS: bool = SWITCH { default: Some("false") }
        /// The checksum that is sent with each part: `crc64nvme`, or `md5` or `none` for stores that don't know it.
        BACKUP_S3_CHECKSUM: Checksum = CHECKSUM { default: Some("crc64nvme") }
        /// How long to try again while the network is away.
        BACKUP_RETRY_MINUTES: u32 = COUNT { default: Some("15") }
        /// The wait before the second try of a request; it doubles before each further one.
        BACKUP_RETRY_DELAY: Duration = DURATION { default: Some("5s") }
    }
    Archive {
        /// How archives are compressed: `gzip` is read everywhere, `zstd` is several times faster.
        BACKUP_COMPRESSION: Compression = COMPRESSION { default: Some("gzip") }
        /// The level: gzip 1 to 12, zstd 1 to 22. Unset: 6 for gzip, 1 for zstd.
        BACKUP_COMPRESSION_LEVEL: i32 = LEVEL {}
        /// Who may read the archives: age public keys. Unset: archives aren't encrypted by us.
        BACKUP_AGE_RECIPIENTS: Vec<age::x25519::Recipient> = RECIPIENTS {}
        /// A file of age public keys, one on a line.
        BACKUP_AGE_RECIPIENTS_FILE: PathBuf = PATH {}
        /// The age key that `restore` and `verify` decrypt with. Keep it off the machine that makes the backups.
        BACKUP_AGE_IDENTITY_FILE: PathBuf = PATH {}
        /// Who reads a backup after it was stored: `auto` reads a local copy again and leaves a bucket to the verify function; `read-back` reads the bucket too; `none` leaves both to `lastgood verify`.
        BACKUP_VERIFY: Verify = VERIFY { default: Some("auto") }
    }
    Retention {
        /// How many days a local copy stays after its upload. A copy that isn't in the bucket stays. Without a bucket, after how many days `backup` and `prune` remove a backup, as `BACKUP_S3_DELETE_DAYS` says it for a bucket.
        BACKUP_RETENTION_DAYS: u32 = DAYS { default: Some("30"), aliases: &["BACKUP_S3_RETENTION_DAYS"], per_database: true }
        /// After how many days the bucket moves an archive to Glacier. The bucket's lifecycle rule does it; the agent only shows it, and `cost` prices it. `0`: never.
        BACKUP_S3_GLACIER_DAYS: u32 = DAYS { default: Some("30") }
        /// After how many days a backup is removed, measured from the newest good one. What a keep rule names stays; where one is set, an age holds only if it is set, too. `0`: never by age.
        BACKUP_S3_DELETE_DAYS: u32 = DAYS { default: Some("90"), per_database: true }
        /// Keep the newest so many good backups.
        BACKUP_KEEP_LAST: u32 = COUNT { default: Some("0"), per_database: true }
        /// Keep the newest good backup of each of so many days.
        BACKUP_KEEP_DAILY: u32 = COUNT { default: Some("0"), per_database: true }
        /// Keep the newest good backup of each of so many weeks.
        BACKUP_KEEP_WEEKLY: u32 = COUNT { default: Some("0"), per_database: true }
        /// Keep the newest good backup of each of so many months.
        BACKUP_KEEP_MONTHLY: u32 = COUNT { default: Some("0"), per_database: true }
        /// Keep the newest good backup of each of so many years.
        BACKUP_KEEP_YEARLY: u32 = COUNT { default: Some("0"), per_database: true }
        /// Never remove a backup where fewer good ones than this would be left.
        BACKUP_MIN_GOOD: u32 = POSITIVE { default: Some("7"), per_database: true }
    }
    Health {
        /// `check` complains when the newest good backup is older.
        MAX_BACKUP_AGE_HOURS: u32 = POSITIVE { default: Some("26"), per_database: true }
        /// `check` complains when the newest good archive is smaller.
        MIN_BACKUP_SIZE: u64 = SIZE { default: Some("102400"), per_database: true }
        /// `check` complains when there are fewer good backups.
        MIN_BACKUP_COUNT: u32 = COUNT { default: Some("7"), per_database: true }
    }
    Restore {
        /// The command that stops what uses the database, run by `sh` before the old database is replaced, such as `docker-compose stop api celery_worker web`.
        RESTORE_STOP_COMMAND: String = TEXT { guide: Some(STOP_GUIDES_SERVICES), per_database: true }
        /// The command that starts it again, run whatever happened in between.
        RESTORE_START_COMMAND: String = TEXT { guide: Some(START_GUIDES_SERVICES), per_database: true }
    }
    Run {
        /// Pinged when a backup succeeded, and with `/start` added when it begins: healthchecks.io's way.
        BACKUP_HEALTHCHECK_URL: Secret = PING_URL { secret: true, per_database: true }
        /// Pinged when a backup failed; the error's text is the body. Unset: `BACKUP_HEALTHCHECK_URL` with `/fail` added.
        BACKUP_HEALTHCHECK_FAIL_URL: Secret = PING_URL { secret: true, per_database: true }
        /// The log file of `backup`, `prune` and `adopt`. Where it can't be written, a file in the temporary folder takes its place.
        BACKUP_LOG_FILE: PathBuf = PATH { default: Some("/var/log/lastgood.log"), guide: Some("/var/log/astro-backup.log") }
        /// The log file of `restore`.
        RESTORE_LOG_FILE: PathBuf = PATH { default: Some("/var/log/lastgood.log"), guide: Some("/var/log/astro-restore.log") }
        /// The log file of `verify` and `check`.
        BACKUP_VERIFY_LOG_FILE: PathBuf = PATH { default: Some("/var/log/lastgood.log"), guide: Some("/var/log/astro-backup-verify.log") }
        /// The folder for the lock that keeps two runs from the same database. Unset: `/run/lock` where it can be written, else the temporary folder.
        BACKUP_LOCK_DIR: PathBuf = PATH {}
        /// Whose defaults hold: `lastgood`, or `guide` for those of the scripts `backup-db.sh` and `restore-db.sh`, which set this themselves.
        LASTGOOD_DEFAULTS: Defaults = DEFAULTS { default: Some("lastgood") }
    }
}
