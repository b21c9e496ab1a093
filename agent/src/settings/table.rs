//! Every setting there is. What is read, what `lastgood config` shows, docs/settings.md and the hints for misspelt names
//! all come from here.

use std::path::PathBuf;
use std::time::Duration;

use postgres::Secret;

use super::checks::Checks;
use super::database_url::{DatabaseUrl, DrillServer};
use super::definition::{Definition, Section, Setting, settings};
use super::form::{self, Checksum, Compression, Defaults, NotifyOn, ServerSideEncryption, Verify};

/// What the guide's `restore-db.sh` stopped, if there is a docker-compose file here.
const STOP_GUIDES_SERVICES: &str = "if docker-compose config -q 2>/dev/null; then docker-compose stop api celery_worker web; \
                                    elif docker compose config -q 2>/dev/null; then docker compose stop api celery_worker web; \
                                    else echo 'warning: no services were stopped: there is no docker-compose file here' >&2; fi";
const START_GUIDES_SERVICES: &str = "if docker-compose config -q 2>/dev/null; then docker-compose start api celery_worker web; \
                                    elif docker compose config -q 2>/dev/null; then docker compose start api celery_worker web; fi";

settings! {
    Database {
        /// The server's host name, address, or socket folder. `DB_*` wins over `DATABASE_URL`, which wins over `PG*`.
        DB_HOST: String = HOST { guide: Some("localhost"), per_database: true }
        /// The server's port.
        DB_PORT: u16 = PORT { guide: Some("5432"), per_database: true }
        /// The database to back up.
        DB_NAME: String = TEXT { guide: Some("astro"), per_database: true }
        /// The role to connect as.
        DB_USER: String = TEXT { guide: Some("astro_user"), per_database: true }
        /// The role's password. `~/.pgpass` or a service file keeps it out of the environment.
        DB_PASSWORD: Secret = SECRET { secret: true, per_database: true }
        /// All of the above in one URL, as applications have it: also `postgresql+asyncpg://`, `postgis://`, `jdbc:postgresql://`, or libpq's `host=… dbname=…`. Special characters in the password are percent-encoded: `/` is `%2F`.
        DATABASE_URL: DatabaseUrl = DATABASE_URL { secret: true, per_database: true }
        /// The folder of `psql`, `pg_dump` and `pg_restore`. Unset: Lastgood searches `PATH` and the usual folders for the version that fits the server.
        PG_BIN_DIR: PathBuf = PATH {}
        /// How long pg_dump waits for a table's lock before it gives up, so that a backup does not block a production system. `0s`: no limit.
        BACKUP_LOCK_TIMEOUT: Duration = DURATION { default: Some("30s"), per_database: true }
        /// How many sessions read rows at the same time. `1`: pg_dump reads them by itself. Unset: as many as the machine has cores, at most 4, and 1 for a database of less than 64 MiB. Never more than a tenth of the server's free connections; 1 behind a pooler, and where the role or the database has a `CONNECTION LIMIT`.
        BACKUP_JOBS: u32 = POSITIVE { per_database: true }
        /// How far `backup` and the programs that it runs step back when others want the processor: 0 to 19, as `nice` has it. The server's own processes don't change.
        BACKUP_NICE: u32 = NICE { default: Some("0") }
        /// More options for pg_dump, such as `--exclude-table-data=logs`.
        BACKUP_PG_DUMP_OPTIONS: Vec<String> = DUMP_OPTIONS { per_database: true }
    }
    Destination {
        /// The folder for local backups. Unset: no local copy if a bucket is set, otherwise `/var/backups/lastgood`.
        BACKUP_DIR: PathBuf = PATH { guide: Some("/var/backups/astro-db") }
        /// The bucket for backups. Unset: backups stay in `BACKUP_DIR`, and no request goes to AWS.
        BACKUP_S3_BUCKET: String = BUCKET { numbered: true }
        /// The folder in the bucket: every key begins with it.
        BACKUP_S3_PREFIX: String = PREFIX { numbered: true, default: Some("backups") }
        /// The AWS account that the bucket must belong to, so that nothing goes to a stranger's bucket of the same name. S3 refuses every request to another account's bucket then. For stores that are not AWS leave it unset.
        BACKUP_S3_BUCKET_OWNER: String = ACCOUNT { numbered: true }
        /// The bucket is a vault, which another account's replication fills: the AWS account whose verdicts count there, which is the vault's own. Verdicts that came with the copies then count for nothing.
        BACKUP_S3_VERDICTS_OF: String = ACCOUNT { numbered: true }
        /// The bucket's region. Unset: the profile's region, otherwise `us-east-1`.
        AWS_REGION: String = TEXT { numbered: true, aliases: &["AWS_DEFAULT_REGION"] }
        /// The URL of an S3 server that is not AWS: R2, MinIO, SeaweedFS, B2.
        BACKUP_S3_ENDPOINT: String = HTTP_URL { numbered: true, aliases: &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] }
        /// How long in all a dump waits for a place that is slower than the others, before it goes on without it and says so. It does not wait for a bucket at all where there is a local copy, from which a slow bucket is served to its end. Unset: a minute, and as long again as the dump would have taken without it.
        BACKUP_SLOW_PLACE_WAIT: Duration = DURATION {}
        /// A name for the backup, such as `initial`, instead of its time.
        BACKUP_NAME: String = LABEL {}
    }
    Identity {
        /// The access key for backups only. Wins over `AWS_ACCESS_KEY_ID`.
        BACKUP_AWS_ACCESS_KEY_ID: String = TEXT { numbered: true }
        /// The secret that belongs to `BACKUP_AWS_ACCESS_KEY_ID`.
        BACKUP_AWS_SECRET_ACCESS_KEY: Secret = SECRET { numbered: true, secret: true }
        /// The session token of temporary `BACKUP_AWS_*` keys.
        BACKUP_AWS_SESSION_TOKEN: Secret = SECRET { numbered: true, secret: true }
        /// The access key. Use it if the application's own keys may write backups too.
        AWS_ACCESS_KEY_ID: String = TEXT {}
        /// The secret that belongs to `AWS_ACCESS_KEY_ID`.
        AWS_SECRET_ACCESS_KEY: Secret = SECRET { secret: true }
        /// The session token of temporary keys.
        AWS_SESSION_TOKEN: Secret = SECRET { secret: true }
        /// The profile of `~/.aws/config` to use. Profiles with `aws sso login` or `credential_process` work too; `--aws-profile` sets it for one run. It wins over keys from a lower-priority place. If neither a profile nor keys are set, the AWS SDK's default chain applies, such as the machine's role.
        AWS_PROFILE: String = TEXT { numbered: true }
    }
    Bucket {
        /// Put the bucket's name into the path instead of the host name. Unset: only if `BACKUP_S3_ENDPOINT` is set.
        BACKUP_S3_PATH_STYLE: bool = SWITCH { numbered: true }
        /// The storage class of archives, such as `STANDARD_IA`. Manifests and verdicts stay in STANDARD, because they are read often.
        BACKUP_S3_STORAGE_CLASS: String = STORAGE_CLASS { numbered: true }
        /// How the bucket encrypts: `AES256` or `aws:kms`. Unset: the bucket's own default.
        BACKUP_S3_SSE: ServerSideEncryption = SSE { numbered: true }
        /// The key for `aws:kms`. Unset: the account's own key for S3.
        BACKUP_S3_KMS_KEY_ID: String = TEXT { numbered: true }
        /// The size of the first parts of an upload. Later parts grow if the archive would otherwise need too many.
        BACKUP_S3_PART_SIZE: u64 = PART_SIZE { default: Some("8MiB") }
        /// How many parts are uploaded at once. Memory use is about this many times the size of a part, for each bucket.
        BACKUP_S3_PARTS_IN_FLIGHT: u32 = POSITIVE { default: Some("4") }
        /// The largest number of parts that the store accepts. Scaleway accepts 1000.
        BACKUP_S3_MAX_PARTS: u32 = POSITIVE { numbered: true, default: Some("10000") }
        /// Make all parts but the last the same size, as R2 requires.
        BACKUP_S3_EQUAL_PARTS: bool = SWITCH { numbered: true, default: Some("false") }
        /// The checksum to send with each part: `crc64nvme`; `md5` or `none` for stores that do not support it.
        BACKUP_S3_CHECKSUM: Checksum = CHECKSUM { numbered: true, default: Some("crc64nvme") }
        /// The file with the certificates (PEM) of the authorities that may sign the store's, instead of those that the system trusts: for a store with a certificate of your own.
        AWS_CA_BUNDLE: PathBuf = PATH { numbered: true }
        /// The same, as OpenSSL and other programs read it. `AWS_CA_BUNDLE` wins over it.
        SSL_CERT_FILE: PathBuf = PATH {}
        /// How many minutes to keep retrying while the network is unreachable, and `backup` while the database server starts up or is full. `0`: nothing is tried twice. What waiting cannot mend is never tried twice: a wrong host name, port, certificate, key or region; a refused connection only if the store answered before in the same run.
        BACKUP_RETRY_MINUTES: u32 = COUNT { default: Some("15") }
        /// The wait before the first retry of a request. It doubles before each further retry.
        BACKUP_RETRY_DELAY: Duration = DURATION { default: Some("5s") }
    }
    Archive {
        /// How to compress archives: every system reads `gzip`; `zstd` is several times faster.
        BACKUP_COMPRESSION: Compression = COMPRESSION { default: Some("gzip") }
        /// The level: gzip 1 to 12, zstd 1 to 22. Unset: 6 for gzip, 1 for zstd.
        BACKUP_COMPRESSION_LEVEL: i32 = LEVEL {}
        /// The age public keys of those who may read the archives. Unset: Lastgood does not encrypt archives.
        BACKUP_AGE_RECIPIENTS: Vec<age::x25519::Recipient> = RECIPIENTS {}
        /// A file with age public keys, one per line.
        BACKUP_AGE_RECIPIENTS_FILE: PathBuf = PATH {}
        /// The file with the age secret key that `restore` and `verify` decrypt with. Keep it off the machine that makes the backups.
        BACKUP_AGE_IDENTITY_FILE: PathBuf = PATH {}
        /// Store the server's roles, their memberships and settings, and its tablespaces beside each archive, as `pg_dumpall --globals-only` writes them: what `restore --create-roles` needs on a server that has none. `false`: leave them out.
        BACKUP_GLOBALS: bool = SWITCH { default: Some("true") }
        /// Store the roles' passwords with them, as the server keeps them (hashed). Only with `BACKUP_AGE_RECIPIENTS`, and only as a superuser.
        BACKUP_GLOBALS_PASSWORDS: bool = SWITCH { default: Some("false") }
        /// Store beside each archive an index of where it has which table, and which keys in each part of a large one: what lets `lastgood rows` read one row of a large archive in a second. `false`: leave it out.
        BACKUP_INDEX: bool = SWITCH { default: Some("true") }
        /// Store beside each archive in a bucket, for every so many bytes of it, a place from which it can be read on: so the AWS stack's verify function reads a large archive in parts, side by side. `0`: leave them out.
        BACKUP_LINK_SIZE: u64 = SIZE { default: Some("4GiB") }
        /// What `backup` reads back after storing: `auto` reads back a local copy and leaves a bucket to the AWS stack's verify function; `read-back` reads back the bucket too; `none` leaves both to `lastgood verify`.
        BACKUP_VERIFY: Verify = VERIFY { default: Some("auto") }
        /// After how many days `verify --all` reads an intact backup again, because disks forget: those first whose verdict is the oldest, and at most a thirtieth of all bytes per run (one backup if that is less). `0`: never.
        BACKUP_REVERIFY_DAYS: u32 = DAYS { default: Some("25") }
    }
    Retention {
        /// With a bucket: how many days a local copy is kept after its upload. A copy that is missing in the bucket is never removed. Without a bucket: after how many days `backup` and `prune` remove a backup, as `BACKUP_S3_DELETE_DAYS` does for a bucket.
        BACKUP_RETENTION_DAYS: u32 = DAYS { default: Some("30"), aliases: &["BACKUP_S3_RETENTION_DAYS"], per_database: true }
        /// After how many days the bucket moves an archive to Glacier. The bucket's lifecycle rule does that; Lastgood only uses the number for `cost`. `0`: never.
        BACKUP_S3_GLACIER_DAYS: u32 = DAYS { default: Some("30") }
        /// After how many days a backup is removed, measured from the newest good one. Backups matched by a keep rule are never removed. Once you set any `BACKUP_KEEP_*`, age removes nothing unless you set this too. `0`: never by age.
        BACKUP_S3_DELETE_DAYS: u32 = DAYS { default: Some("90"), per_database: true }
        /// Keep the newest N good backups.
        BACKUP_KEEP_LAST: u32 = COUNT { default: Some("0"), per_database: true }
        /// Keep the newest good backup of each of the last N days that have one.
        BACKUP_KEEP_DAILY: u32 = COUNT { default: Some("0"), per_database: true }
        /// Keep the newest good backup of each of the last N weeks that have one.
        BACKUP_KEEP_WEEKLY: u32 = COUNT { default: Some("0"), per_database: true }
        /// Keep the newest good backup of each of the last N months that have one.
        BACKUP_KEEP_MONTHLY: u32 = COUNT { default: Some("0"), per_database: true }
        /// Keep the newest good backup of each of the last N years that have one.
        BACKUP_KEEP_YEARLY: u32 = COUNT { default: Some("0"), per_database: true }
        /// Never remove a good backup if fewer good ones than this would be left. While there are fewer, backups that are not verified yet are not removed either.
        BACKUP_MIN_GOOD: u32 = POSITIVE { default: Some("7"), per_database: true }
        /// Never remove a good backup that is younger than this many days, whatever the other rules say. `0`: they alone decide.
        BACKUP_NEVER_YOUNGER_DAYS: u32 = DAYS { default: Some("0"), per_database: true }
    }
    Health {
        /// `check` reports UNHEALTHY if the newest good backup is older than this.
        MAX_BACKUP_AGE_HOURS: u32 = POSITIVE { default: Some("26"), per_database: true }
        /// `check` reports UNHEALTHY if a good archive is smaller than this. Unset: if the newest one has less than half of the median of the seven good ones before it; with fewer than three before it, never. What came before a backup that somebody accepted (`lastgood accept`) doesn't count.
        MIN_BACKUP_SIZE: u64 = SIZE { guide: Some("102400"), per_database: true }
        /// `check` reports UNHEALTHY if there are fewer good backups than this. Unset: if there are fewer than days have gone by since the first one that is there, at most 7; where `MAX_BACKUP_AGE_HOURS` is more than two days, fewer than such spans.
        MIN_BACKUP_COUNT: u32 = COUNT { guide: Some("7"), per_database: true }
        /// `check` reports UNHEALTHY if the last drill that passed is older than this, if the last one failed, or if there never was one. Unset: drills don't count; one that failed is named.
        BACKUP_MAX_DRILL_AGE: u32 = AGE { per_database: true }
    }
    Restore {
        /// A shell command that stops what uses the database, such as `docker-compose stop api celery_worker web`. It runs before the old database is replaced.
        RESTORE_STOP_COMMAND: String = TEXT { guide: Some(STOP_GUIDES_SERVICES), per_database: true }
        /// A shell command that starts it again. It runs whether or not the restore succeeded.
        RESTORE_START_COMMAND: String = TEXT { guide: Some(START_GUIDES_SERVICES), per_database: true }
        /// SQL queries that a restored database has to answer with true before it takes the name: `SELECT count(*) > 0 FROM users; SELECT max(day) > now() - interval '2 days' FROM orders`. A value that begins with `/`, `./` or `@` is the path of a file with them; in TOML it may be a list. Each runs in a read-only transaction of its own, for five minutes at most, and has to return one row with one column that is true. `SET name = value` between them holds for those that follow: `SET statement_timeout = '1h'`.
        RESTORE_CHECKS: Checks = CHECKS { per_database: true, parts: Some("\n;\n") }
        /// Where `drill` restores: the URL of a server, which may contain a password, or `temporary` for a private server that is started from the installed PostgreSQL and removed afterwards. Unset: the server of the settings.
        BACKUP_DRILL_SERVER: DrillServer = DRILL_SERVER { secret: true, per_database: true }
    }
    Run {
        /// `backup` warns of a table that had at least 1,000 rows when at least this percentage of them is gone since the backup before; and of one that had at least 100 when it is empty or gone. Backups from before such a backup are kept for 30 days, or until `lastgood accept`. `0`: it warns of none.
        BACKUP_SHRINK_PERCENT: u32 = PERCENT { default: Some("50"), per_database: true }
        /// The tables that `backup` never warns of, such as queues and sessions: `sessions, queue.*, tmp_*`. What has fallen as low before, within the seven backups before, isn't warned of either, once that was accepted.
        BACKUP_SHRINK_EXCEPT: Vec<String> = TABLES { per_database: true }
        /// The URL to ping when a backup succeeds, and with `/start` added when it begins, as healthchecks.io expects.
        BACKUP_HEALTHCHECK_URL: Secret = PING_URL { secret: true, per_database: true }
        /// The URL to ping when a backup fails, with the error as the body. Unset: `BACKUP_HEALTHCHECK_URL` with `/fail` added.
        BACKUP_HEALTHCHECK_FAIL_URL: Secret = PING_URL { secret: true, per_database: true }
        /// The URL to ping when a drill passes, with `/start` added when it begins, and with `/fail` when it doesn't pass.
        BACKUP_DRILL_HEALTHCHECK_URL: Secret = PING_URL { secret: true, per_database: true }
        /// Where to send a message when a backup, a drill or `check` fails, and when the next one succeeds again: an address of ntfy, Slack or Discord, or of any service that takes a JSON document (docs/json.md).
        BACKUP_NOTIFY_URL: Secret = PING_URL { secret: true, per_database: true }
        /// What is told: `failure`, with the first success after it, or `always`.
        BACKUP_NOTIFY_ON: NotifyOn = NOTIFY_ON { default: Some("failure") }
        /// A shell command that runs before a database is backed up. If it fails, no backup is made. `LASTGOOD_DATABASE` is in its environment.
        BACKUP_BEFORE: String = TEXT { per_database: true }
        /// A shell command that runs after it, whether or not it succeeded, unless another run held the lock. In its environment: `LASTGOOD_DATABASE`, `LASTGOOD_RESULT` (`done` or `failed`), `LASTGOOD_EXIT`, `LASTGOOD_BACKUP` (the archive's name), `LASTGOOD_ERROR` and `LASTGOOD_HINT`.
        BACKUP_AFTER: String = TEXT { per_database: true }
        /// A shell command that runs after a backup that failed, before `BACKUP_AFTER`, with the same environment.
        BACKUP_ON_FAILURE: String = TEXT { per_database: true }
        /// The log file of `backup`, `prune`, `adopt` and `retire`. If it is not writable, Lastgood logs to a file in the temporary folder instead.
        BACKUP_LOG_FILE: PathBuf = PATH { default: Some("/var/log/lastgood.log"), guide: Some("/var/log/astro-backup.log") }
        /// The log file of `restore` and `drill`.
        RESTORE_LOG_FILE: PathBuf = PATH { default: Some("/var/log/lastgood.log"), guide: Some("/var/log/astro-restore.log") }
        /// The log file of `verify` and `check`.
        BACKUP_VERIFY_LOG_FILE: PathBuf = PATH { default: Some("/var/log/lastgood.log"), guide: Some("/var/log/astro-backup-verify.log") }
        /// The folder for lock files, which keep two runs from working on the same database. Unset: `/run/lock` if it is writable, otherwise the temporary folder.
        BACKUP_LOCK_DIR: PathBuf = PATH {}
        /// Which defaults apply: `lastgood`, or `guide` for those of the scripts `backup-db.sh` and `restore-db.sh`. The scripts set this themselves.
        LASTGOOD_DEFAULTS: Defaults = DEFAULTS { default: Some("lastgood") }
    }
}
