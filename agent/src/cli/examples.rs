//! The end of each `--help`: worked examples, and the command's exit statuses.

pub(super) const LASTGOOD: &str = "\
Examples:
  lastgood                            show the last good backups
  lastgood config                     show the settings and where each was set
  lastgood backup                     back up the database
  lastgood list                       show the backups, and which are good
  lastgood restore latest --dry-run   show what a restore would do

Exit status:
  0  done
  1  failed, or only partly done, or the prompt was answered with no
  2  the command line or a setting is wrong
  3  another run holds the lock
  4  a backup is damaged
  5  not found: no such backup, database or file
  6  unhealthy: backups too old, too few, too small, damaged, or none at all";

pub(super) const STATUS: &str = "\
Examples:
  lastgood                            show the databases of the settings
  lastgood status --all-databases     show every database that has backups
  lastgood status --json

It is one screen at most, and has an answer within five seconds; `check` says all that it \
knows. Other places than the first are left out. Without any setting it says how to begin.

Exit status: 0 healthy, 1 failed, 2 nothing is set, or wrong usage or setting, 6 unhealthy.";

pub(super) const INIT: &str = "\
Examples:
  sudo lastgood init                  ask, and propose what is found here
  sudo lastgood init --yes --database shop --directory /var/backups/lastgood
  lastgood init --database postgresql://shop@db1/shop --bucket shop-backups
  lastgood init --dry-run             try it, show it, and write nothing
  sudo lastgood init --from-stack lastgood

The settings go to /etc/lastgood.env, or to the file that --env-file names; init never writes over one. \
--database is a name on this machine's server, or a URL without a password. Nobody types a password into \
a command line: every user can read it there. Set PGPASSWORD, or use --password-file. Keys for a bucket are taken \
from the environment or from --aws-profile.

Exit status: 0 done, 1 failed, 2 wrong usage or setting, or there are settings already, 3 another run holds the \
lock, 4 the first backup is damaged, 5 no such database.";

pub(super) const REPORT: &str = "\
Examples:
  lastgood report --open              show these databases in the browser
  lastgood report --all-databases --output /var/www/private/backups.html
  lastgood report --json              print what is on the page, for a program
  lastgood report --link              print a link to the AWS stack's page

The page is one file that loads nothing else. Only its owner can read it: it names tables and hosts.

Exit status: 0 done, 1 failed, 2 wrong usage or setting, 5 the stack has made no page yet.";

pub(super) const BACKUP: &str = "\
Examples:
  lastgood backup --dry-run           check access, and write nothing
  lastgood backup                     back up the database of the settings
  lastgood backup --name initial      make a named backup
  lastgood backup --database shop --database blog
  0 3 * * * /usr/local/bin/lastgood backup --quiet

The last line goes into a crontab. It has the full path because cron's PATH lacks /usr/local/bin. \
Put the settings into /etc/lastgood.env: cron starts in the home folder, and a .env there would be \
read instead.

Exit status: 0 done, 1 failed or only partly done, 2 wrong usage or setting, 3 another run holds the \
lock, 4 the stored backup is damaged, 5 no such database.";

pub(super) const LIST: &str = "\
Examples:
  lastgood list                       list the backups of the chosen databases
  lastgood list --limit 5 --json      list the newest five, for a program
  lastgood list --repository directory
  lastgood list --repository 2        list the second bucket alone

With several buckets each row says how the backup stands in every place.

Exit status: 0 done, 1 failed, 2 wrong usage or setting, 5 the folder does not exist.";

pub(super) const SHOW: &str = "\
Examples:
  lastgood show latest
  lastgood show shop_backup_20261122_030000
  lastgood show 20261122/shop_backup_initial --json

Exit status: 0 done, 1 failed, 2 wrong usage or setting, 5 no such backup.";

pub(super) const VERIFY: &str = "\
Examples:
  lastgood verify latest              verify the newest backup
  lastgood verify --all               verify what is new, and some old ones
  lastgood verify ./shop_backup_20261122_030000.sql.gz

The result of reading a backup back is its verdict: intact or damaged. It is stored beside the \
backup if this identity may write there. Here `latest` is the newest backup, good or not. For show \
and restore it is the newest good one.

Exit status: 0 intact, 1 failed, 2 wrong usage or setting, 4 damaged, 5 no such backup.";

pub(super) const CHECK: &str = "\
Examples:
  lastgood check                      check, for a person
  lastgood check --json               check, for a program
  lastgood check --format nagios      check, as a plugin of a monitoring system
  lastgood check || echo 'look at the backups'
  lastgood check --max-drill-age 35d   a drill must have passed lately

The first line is the summary: HEALTHY or UNHEALTHY, and why. It is about the first bucket, or the directory \
without one; notes say what other places lack, and which part of 3-2-1 does not hold.

Exit status: 0 healthy, 1 failed, 2 wrong usage or setting, 6 unhealthy.";

pub(super) const PRUNE: &str = "\
Examples:
  lastgood prune --dry-run            show what would be removed, and why
  lastgood prune                      remove it

Exit status: 0 done, 1 failed or only partly done, 2 wrong usage or setting, 3 another run holds the \
lock.";

pub(super) const ADOPT: &str = "\
Examples:
  lastgood adopt --all --dry-run
  lastgood adopt astro_backup_20250120_030000

Exit status: 0 done, 1 failed or only partly done, 2 wrong usage or setting, 4 a backup is damaged, \
5 no such backup.";

pub(super) const COPY: &str = "\
Examples:
  lastgood copy latest --from directory --to 2
  lastgood copy shop_backup_20261122_030000 --from 1 --to 3
  lastgood copy --missing --from 2 --to 1 --all-databases --dry-run
  0 7 * * * /usr/local/bin/lastgood copy --missing --max-age 7d --to 2 --quiet

Archive, roles, index and manifest are copied, and checked against the manifest as they go by; between two \
buckets of one store the store copies the archive by itself. A verdict is not copied: the other place is \
verified by itself. What was sent of a copy that was broken off is not sent \
again. Nothing is overwritten; what is damaged is not copied.

Exit status: 0 done, or the same backup is there already, 1 failed or only partly done, 2 wrong usage or \
setting, 3 another copy holds the lock, 4 a backup is damaged, 5 no such backup.";

pub(super) const ACCEPT: &str = "\
Examples:
  lastgood accept latest
  lastgood accept shop_backup_20261122_030000

Until then backups from before it are kept, for 30 days at most, and the AWS stack's mail names it each \
day. Later backups are compared with what is accepted. Accepting twice changes nothing.

Exit status: 0 done, 1 failed, 2 wrong usage or setting, 5 no such backup.";

pub(super) const RETIRE: &str = "\
Examples:
  lastgood retire old_shop            ask first, then mark it
  lastgood retire old_shop --confirm

Its backups are kept, and prune treats them as before. A new backup ends the retirement.

Exit status: 0 done, 1 failed or the answer was no, 2 wrong usage or setting, 5 no such database.";

pub(super) const EXPECT: &str = "\
Examples:
  lastgood expect shop --max-age 2h --min-size 10MB
  lastgood expect shop --no-max-age   the limit for all databases applies again
  lastgood expect shop                expect it, with the limits it has

The AWS stack's alarms go by these limits, and so does check unless MAX_BACKUP_AGE_HOURS or \
MIN_BACKUP_SIZE is set. A retired database is expected again.

Exit status: 0 done, 1 failed, 2 wrong usage or setting.";

pub(super) const POLICY: &str = "\
Examples:
  lastgood policy shop                the policy of the host of shop
  lastgood policy shop blog > host.json
  lastgood policy shop --partition aws-cn
  lastgood policy shop --repository 2   that for the second bucket

It is for the bucket and the prefix of the settings, and sends no request. A host with this policy \
cannot add a backup of any other database, read an archive, replace or delete.

Exit status: 0 done, 2 wrong usage or setting.";

pub(super) const RESTORE: &str = "\
Examples:
  lastgood restore latest --dry-run   check it, and show what it replaces
  lastgood restore latest             restore beside, then swap the names
  lastgood restore latest --into shop_copy
  lastgood restore latest --into rescue --table orders --table billing.invoices
  lastgood restore latest --create-roles
  lastgood restore --from-s3-latest --confirm
  lastgood restore --from-s3 s3://shop/20261122/shop_backup_initial.sql.gz
  lastgood restore --undo             go back: swap the names again
  lastgood restore --drop-old         drop what earlier restores kept

Exit status: 0 done, 1 failed or the answer was no, 2 wrong usage or setting, 3 another run holds \
the lock, 4 the backup is damaged, 5 no such backup or old database.";

pub(super) const DIFF: &str = "\
Examples:
  lastgood diff latest~1 latest       show what the newest one has changed
  lastgood diff latest~1 latest --rows --table orders --limit 100
  lastgood diff shop_backup_20261121_030000 shop_backup_20261122_030000 --json
  lastgood diff initial latest --exit-code

Without --rows no archive is read but its first bytes, which hold the definitions. Rows are compared by \
their primary key; those of a table without one are counted as they are. docs/diff.md says more.

Exit status: 0 done, 1 failed, or with --exit-code not all could be compared, 2 wrong usage or setting, \
4 a backup is damaged, 5 no such backup, 6 with --exit-code something differs.";
pub(super) const ROWS: &str = "\
Examples:
  lastgood rows latest --table users --where email=ann@example.com
  lastgood rows latest~1 --table orders --where id=4711 --insert | psql shop
  lastgood rows latest --table sales.orders --columns id,total --limit 10 --json

The first prints one user as CSV. The second puts a deleted order back from the backup before the newest.

Exit status: 0 done, 1 failed, 2 wrong usage or setting, 4 the backup is damaged, 5 no such backup or \
table.";

pub(super) const DRILL: &str = "\
Examples:
  lastgood drill                      restore the newest good one, and compare
  lastgood drill --temporary-server   the same on a private server
  lastgood drill latest --server postgresql://admin@standby.example.org/postgres
  lastgood drill shop_backup_20261122_030000 --dry-run
  0 5 1 * * /usr/local/bin/lastgood drill --temporary-server --quiet

The last line goes into a crontab: a drill on the first of each month. docs/drill.md says what it \
proves and what it needs.

Exit status: 0 the restored database is what was dumped, 1 the drill could not be carried out, \
2 wrong usage or setting, 3 another drill holds the lock, 4 the backup is damaged, 5 no such backup, \
6 something differs or a check failed.";

pub(super) const ERASE: &str = "\
Examples:
  lastgood erase --table users --where email=ada@example.org --all --dry-run
  lastgood erase --table users --where email=ada@example.org --all
  lastgood erase --sql forget.sql shop_backup_20261122_030000
  lastgood erase --sql - --all --confirm --certificate certificate.json

Delete the rows in the live database first: the next backup would have them again. \
docs/erase.md says what is proved, what remains, and which rights it needs.

Exit status: 0 no chosen backup has such rows any more, 1 failed, or some backups were left as they \
are, 2 wrong usage or setting, 3 another erasure holds the lock, 5 no such backup or table.";

pub(super) const COST: &str = "\
Examples:
  lastgood cost                       price the bucket and the AWS stack
  lastgood cost --size 50MB --per-day 1
  lastgood cost --size 1.5GB --days 365 --glacier-days 30 --databases 3
  lastgood cost --size 500MB --glacier-days 0 --json

The estimate covers every database in the bucket and the whole AWS stack of docs/cloud.md: \
verification, retention and alarms.

Exit status: 0 done, 1 failed, 2 wrong usage or setting, 5 no backups yet.";

pub(super) const CONFIG: &str = "\
Examples:
  lastgood config                     show every setting, and where it was set
  lastgood config --set               leave out defaults
  lastgood --env-file prod.env config --json

Secrets are shown as ***.

Exit status: 0 all values are valid, 2 some are not.";

pub(super) const COMPLETIONS: &str = "\
Example:
  lastgood completions bash > /etc/bash_completion.d/lastgood";

pub(super) const MAN: &str = "\
Examples:
  lastgood man | man -l -
  lastgood man --directory /usr/local/share/man/man1";

pub(super) const VERSION: &str = "\
Example:
  lastgood version";
