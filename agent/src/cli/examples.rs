//! What each `--help` ends with: worked examples, and the exit statuses they may end in.

pub(super) const LASTGOOD: &str = "\
Examples:
  lastgood config                     what is set, and where
  lastgood backup                     back up the database
  lastgood list                       which backups there are, and which are good
  lastgood restore latest --dry-run   what a restore would do

Exit status:
  0  done
  1  failed, or only part of it was done, or the answer at the prompt was no
  2  the command line or a setting is wrong
  3  another run holds the lock
  4  a backup is damaged
  5  what was asked for isn't there
  6  unhealthy: stale, too few, too small, or never backed up";

pub(super) const BACKUP: &str = "\
Examples:
  lastgood backup --dry-run           check access to the database and to where backups go
  lastgood backup                     back up the database of DB_NAME, DATABASE_URL or libpq
  lastgood backup --name initial      a named backup
  lastgood backup --database shop --database blog
  0 3 * * * /usr/local/bin/lastgood backup --quiet

The last line is a crontab's: cron doesn't look into /usr/local/bin, and reads .env in the home folder. What it needs
stands in /etc/lastgood.env.

Exit status: 0 done, 1 failed or only part of it was done, 2 wrong usage or setting, 3 another run
holds the lock, 4 what was stored is damaged, 5 no such database.";

pub(super) const LIST: &str = "\
Examples:
  lastgood list                       the backups of the chosen databases
  lastgood list --limit 5 --json      the newest five, for a program
  lastgood list --repository directory

Exit status: 0 done, 1 failed, 2 wrong usage or setting.";

pub(super) const SHOW: &str = "\
Examples:
  lastgood show latest
  lastgood show shop_backup_20261122_030000
  lastgood show 20261122/shop_backup_initial --json

Exit status: 0 done, 1 failed, 2 wrong usage or setting, 5 no such backup.";

pub(super) const VERIFY: &str = "\
Examples:
  lastgood verify latest              read the newest backup back
  lastgood verify --all               every backup that has no verdict yet
  lastgood verify ./shop_backup_20261122_030000.sql.gz

A verdict is stored beside a backup where this identity may. `latest` is the newest backup here, good or not: it is the
one to be verified. For show and restore it is the newest good one.

Exit status: 0 intact, 1 failed, 2 wrong usage or setting, 4 damaged, 5 no such backup.";

pub(super) const CHECK: &str = "\
Examples:
  lastgood check                      for a person
  lastgood check --json               for monitoring
  lastgood check || echo 'look at the backups'

The first line says it all: HEALTHY or UNHEALTHY, and why.

Exit status: 0 healthy, 1 failed, 2 wrong usage or setting, 6 unhealthy.";

pub(super) const PRUNE: &str = "\
Examples:
  lastgood prune --dry-run            what would go and what stays, with the reason for each
  lastgood prune                      do it

Exit status: 0 done, 1 failed or only part of it was done, 2 wrong usage or setting, 3 another run
holds the lock.";

pub(super) const ADOPT: &str = "\
Examples:
  lastgood adopt --all --dry-run
  lastgood adopt astro_backup_20250120_030000

Exit status: 0 done, 1 failed or only part of it was done, 2 wrong usage or setting, 4 a backup is
damaged, 5 no such backup.";

pub(super) const RETIRE: &str = "\
Examples:
  lastgood retire old_shop            asks, and then nobody is told when no backup of it comes
  lastgood retire old_shop --confirm

Its backups stay, and prune treats them as before. A new backup makes the database expected again.

Exit status: 0 done, 1 failed or the answer was no, 2 wrong usage or setting, 5 no such database.";

pub(super) const RESTORE: &str = "\
Examples:
  lastgood restore latest --dry-run   check the backup and say what would be replaced
  lastgood restore latest             restore beside the living database, then exchange the two
  lastgood restore latest --into shop_copy
  lastgood restore --from-s3-latest --confirm
  lastgood restore --from-s3 s3://my-backups/backups/20261122/shop_backup_20261122_030000.sql.gz
  lastgood restore --drop-old         once the restored database has proved itself

Exit status: 0 done, 1 failed or the answer was no, 2 wrong usage or setting, 3 another run holds
the lock, 4 the backup is damaged, 5 no such backup.";

pub(super) const COST: &str = "\
Examples:
  lastgood cost                       what lies in the bucket, and what watches over it
  lastgood cost --size 50MB --per-day 1
  lastgood cost --size 1.5GB --days 365 --glacier-days 30 --databases 3
  lastgood cost --size 500MB --glacier-days 0 --json

It prices the bucket with the whole stack of docs/cloud.md, and every database in it. An estimate.

Exit status: 0 done, 1 failed, 2 wrong usage or setting, 5 no backups yet.";

pub(super) const CONFIG: &str = "\
Examples:
  lastgood config                     every setting, its value and its place
  lastgood config --set               without defaults
  lastgood --env-file prod.env config --json

Secrets are shown as ***.

Exit status: 0 every value is right, 2 one isn't.";

pub(super) const COMPLETIONS: &str = "\
Example:
  lastgood completions bash > /etc/bash_completion.d/lastgood";

pub(super) const MAN: &str = "\
Examples:
  lastgood man | man -l -
  lastgood man --directory /usr/local/share/man/man1";
