#!/usr/bin/env bash
# Runs as root in the system that root.sh made: installs the package, backs up and restores by the units, removes and purges it.
# Where systemd runs that system, it starts them; else their own command lines run as their own user. Says what it measured and saw,
# one thing a line.
set -Eeuo pipefail

readonly units=/usr/lib/systemd/system
package=$(realpath /run/package)
readonly package
booted=no
[[ ! -d /run/systemd/system ]] || booted=yes
readonly booted
# What every program may do, and does thousands of times: each that strace sees is a stop.
readonly often=read,write,pread64,pwrite64,lseek,openat,close,fstat,newfstatat,mmap,munmap,mprotect,brk,futex,recvfrom,sendto
readonly timers=/etc/systemd/system/timers.target.wants

main() {
  # What is newer is of the package, or of these tests.
  touch /run/began
  ! running || trap 'journalctl --no-pager --lines 60 >&2' ERR
  start_postgresql
  local began=$EPOCHREALTIME
  install_package
  set_up
  echo "seconds from the package to a good backup: $(since "$began")"
  must "a good backup" grep -q good <(lastgood list)
  set_up_elsewhere
  unit lastgood.service
  unit lastgood-verify.service
  unit lastgood-prune.service
  unit lastgood-drill.service
  restore
  case $package in
    *.deb) scripts_twice && purge ;;
    *.rpm) erase ;;
  esac
}

must() {
  local what=$1
  shift
  "$@" || { echo "error: expected $what: $*" >&2 && exit 1; }
}

# In seconds with three places.
since() {
  local now=$EPOCHREALTIME
  local spent=$(((${now/./} - ${1/./}) / 1000))
  printf '%d.%03d\n' $((spent / 1000)) $((spent % 1000))
}

start_postgresql() {
  local programs
  programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
  mkdir -p /run/postgresql /run/data
  chown postgres: /run/postgresql /run/data
  local as=(setpriv --reuid postgres --regid postgres --clear-groups)
  "${as[@]}" "$programs/initdb" --pgdata /run/data --encoding UTF8 --no-sync > /run/initdb.log
  # As Debian has it.
  printf '%s\n' 'local all all peer' > /run/data/pg_hba.conf
  "${as[@]}" "$programs/pg_ctl" --pgdata /run/data --wait --log /run/data/log \
    --options "-c listen_addresses= -c unix_socket_directories=/run/postgresql -c fsync=off" start > /run/pg_ctl.log
  "${as[@]}" psql -qc 'CREATE DATABASE shop'
  "${as[@]}" psql -qd shop -c 'CREATE TABLE orders AS SELECT id, md5(id::text) AS code FROM generate_series(1, 20000) id'
}

# As dpkg and rpm do it, without what only `apt-get` and `dnf` would bring.
install_package() {
  case $package in
    *.deb) dpkg --force-unsafe-io --install "$package" > /run/dpkg.log ;;
    *.rpm) install_rpm ;;
  esac
  must 'no timer to be enabled' test ! -e "$timers/lastgood.timer"
  must 'no unit to run' test -z "$(! running || systemctl list-units --no-legend 'lastgood*')"
  must 'a user' getent passwd lastgood > /dev/null
  must "the user's folder" test "$(stat -c '%U:%G %a' /var/backups/lastgood)" = 'lastgood:lastgood 700'
  must 'a way to begin' test "$(status_of lastgood)" = 2
  must 'a way to begin' grep -q 'sudo lastgood init' /run/status.log
  must 'the same for everybody' grep -q 'sudo lastgood init' <(run_as nobody lastgood || true)
}

# It asks for exactly what /run/system.rpm says is here, and every file is as it was packed.
install_rpm() {
  local refused
  refused=$(rpm --install "$package" 2>&1 || true)
  must 'the C library to be asked for' grep -q 'glibc >= 2.17 is needed' <<< "$refused"
  must 'a shell to be asked for' grep -q '/bin/sh is needed' <<< "$refused"
  must 'the programs that make users to be asked for' grep -q 'shadow-utils is needed' <<< "$refused"
  rpm --install /run/system.rpm
  rpm --install "$package"
  must 'files as they were packed' rpm --verify lastgood
}

running() {
  [[ $booted == yes ]]
}

# The enabled timers, where anything can be waited for.
waiting() {
  ! running || systemctl --quiet is-active lastgood.timer lastgood-verify.timer lastgood-drill.timer
}

# The role, the settings, the first backup as the units' own user, and the timers.
set_up() {
  must 'an example that can be read' grep -q DB_NAME <(lastgood --env-file /usr/share/lastgood/examples/lastgood.env config --set)
  lastgood init --yes --database shop --schedule systemd > /run/init.log
  must 'a good backup' grep -q '^good: shop_backup_' /run/init.log
  must 'settings that only root reads' test "$(stat -c '%U %a' /etc/lastgood.env)" = 'root 600'
  must "the user's backup" test "$(stat -c %U /var/backups/lastgood/* | sort -u)" = lastgood
  must 'enabled timers' enabled lastgood.timer lastgood-verify.timer lastgood-drill.timer
  must 'no timer for what backup does itself' test ! -e "$timers/lastgood-prune.timer"
  must 'drills on a private server' grep -qx BACKUP_DRILL_SERVER=temporary /etc/lastgood.env
  must 'timers that wait' waiting
  must 'no drop-in for the usual folder' test ! -e /etc/systemd/system/lastgood.service.d
  must 'a word for who may not read them' grep -q '^hint: run it with sudo' <(run_as nobody lastgood list 2>&1 || true)
  must 'settings never to be written over' test "$(status_of lastgood init --yes --database shop)" = 2
}

# These timers.
enabled() {
  local timer
  for timer in "$@"; do test -L "$timers/$timer" || return 1; done
}

# Another folder, with the guide's line in a crontab: the units get a drop-in, and the line goes. Then from cron, as the same user.
set_up_elsewhere() {
  local folder="/srv/my 5% \"backups\"" log=/run/elsewhere.log initdb now=''
  ! running || now=--now
  mv /etc/lastgood.env /run/lastgood.env
  mkdir -p /etc/cron.d
  printf '%s\n' 'MAILTO=root' '0 3 * * * root /srv/app/scripts/backup-db.sh' > /etc/cron.d/shop
  must 'a home folder to be refused' test "$(status_of lastgood init --yes --database shop --schedule systemd --directory /root/b)" = 2
  must 'no settings' test ! -e /etc/lastgood.env
  # A machine that has PostgreSQL's server elsewhere can't make one for drills.
  systemctl --quiet disable ${now:+"$now"} lastgood-drill.timer
  for initdb in /usr/lib/postgresql/*/bin/initdb; do mount --bind /dev/null "$initdb"; done
  lastgood init --yes --database shop --schedule systemd --directory "$folder" > "$log"
  umount /usr/lib/postgresql/*/bin/initdb
  must 'why there is no drill' grep -q '^no drill every week: PostgreSQL.s server programs .* are not installed here' "$log"
  must 'no drill' test ! -e "$timers/lastgood-drill.timer"
  must 'no word of drills' test "$(grep -c DRILL /etc/lastgood.env)" = 0
  must 'a good backup' grep -q '^good: shop_backup_' "$log"
  must "the user's folder" test "$(stat -c '%U:%G %a' "$folder")" = 'lastgood:lastgood 700'
  must 'a drop-in' grep -qxF 'ReadWritePaths="/srv/my 5%% \"backups\""' /etc/systemd/system/lastgood.service.d/folder.conf
  must 'a drop-in for the others' test -e /etc/systemd/system/lastgood-.service.d/folder.conf
  must 'the line to be gone' test "$(cat /etc/cron.d/shop)" = 'MAILTO=root'
  must 'a copy of it' grep -q backup-db.sh /root/*before-lastgood*
  rm -r "$folder" /etc/lastgood.env /etc/systemd/system/lastgood.service.d /etc/systemd/system/lastgood-.service.d
  ! running || systemctl daemon-reload
  printf '%s\n' '0 3 * * * root /usr/bin/lastgood backup' > /etc/cron.d/shop
  lastgood init --yes --database shop --schedule cron --directory "$folder" > "$log"
  # Never both.
  must 'no timer beside the crontab' test -z "$(find "$timers" -name 'lastgood*')"
  must 'no timer that waits' test -z "$(! running || systemctl list-units --no-legend 'lastgood*.timer')"
  must "the user's settings" test "$(stat -c '%U %a' /etc/lastgood.env)" = 'lastgood 600'
  must "the user's lines" grep -qP '^0 3 \* \* \*\tlastgood /usr/bin/lastgood backup --quiet$' /etc/cron.d/shop
  must 'a weekly drill' grep -qP '^30 4 \* \* 0\tlastgood /usr/bin/lastgood drill --quiet$' /etc/cron.d/shop
  run_as lastgood sh -c "$(sed -n 's/^0 3 \* \* \*\tlastgood //p' /etc/cron.d/shop)"
  must 'two backups' test "$(find "$folder" -name '*.sql.gz' ! -name '*.globals.*' | wc -l)" = 2
  rm -r "$folder" /etc/lastgood.env /etc/cron.d/shop /root/*before-lastgood*
  mv /run/lastgood.env /etc/lastgood.env
}

# Its exit status, and on standard error what it said.
status_of() {
  local status=0
  "$@" > /run/status.log 2>&1 || status=$?
  cat /run/status.log >&2
  echo "$status"
}

# As cron does it.
run_as() {
  local user=$1
  shift
  (cd / && env --ignore-environment PATH=/usr/bin:/bin HOME=/var/lib/lastgood \
    setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups "$@")
}

# As the timers do it, in the whole sandbox.
start() {
  systemctl start "$1" || { journalctl --no-pager --lines 50 --unit "$1" >&2 && exit 1; }
  journalctl --no-pager --output cat --unit "$1"
}

# Each ExecStart= of a unit, as its user, with what its other lines give: the credential, the variables, the folders and no
# capability. What only systemd does, the sandbox, systemd-analyze looks at; which calls of the kernel it would have to let through
# is written down, where there is strace.
unit() {
  ! running || { start "$1" && return; }
  local credentials=/run/credentials/$1 line
  local -a watched=()
  ! command -v strace > /dev/null ||
    watched=(strace -f --seccomp-bpf -qq -e signal=none -e "trace=!$often" -A -o "/run/calls.$1")
  mkdir -p "$credentials"
  # strace runs as the unit's user.
  install -o lastgood -m 600 /dev/null "/run/calls.$1"
  install -o lastgood -m 400 /etc/lastgood.env "$credentials/lastgood.env"
  install -d -o lastgood -g lastgood -m 700 /var/lib/lastgood
  install -d -o lastgood -g lastgood -m 750 /var/log/lastgood
  local -a variables lines
  mapfile -t variables < <(sed -n 's/^Environment=//p' "$units/$1")
  mapfile -t lines < <(sed -n 's/^ExecStart=//p' "$units/$1")
  must 'a line to run' test "${#lines[@]}" -gt 0
  for line in "${lines[@]}"; do
    (cd / && env --ignore-environment PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/lastgood \
      "${variables[@]}" setpriv --reuid lastgood --regid lastgood --clear-groups --no-new-privs --bounding-set=-all \
      ${watched[@]+"${watched[@]}"} ${line//\$\{CREDENTIALS_DIRECTORY\}/$credentials}) || { echo "error: $1: $line: status $?" >&2 && exit 1; }
  done
}

# As root, by what the hint says, `sudo -u postgres` in this system's words.
restore() {
  local said
  said=$(lastgood restore latest --into shop_copy --confirm 2>&1 > /dev/null || true)
  must 'the way in for root' grep -qF 'sudo -u postgres createuser --superuser root; and then: sudo DB_USER=root lastgood' <<< "$said"
  must 'the same of init' grep -qF 'sudo -u postgres createuser --superuser root' /run/init.log
  setpriv --reuid postgres --regid postgres --clear-groups createuser --superuser root
  DB_USER=root lastgood restore latest --into shop_copy --confirm
  local counted='SELECT count(*), md5(string_agg(code, NULL ORDER BY id)) FROM orders'
  must 'the same rows' test "$(psql -Atd shop -c "$counted")" = "$(psql -Atd shop_copy -c "$counted")"
}

# dpkg runs a script again after it was interrupted. Enabled timers are disabled before the files go.
scripts_twice() {
  local scripts=/var/lib/dpkg/info/lastgood
  "$scripts.postinst" configure
  "$scripts.postinst" configure 0.0.9
  "$scripts.prerm" upgrade 0.2.0
  must 'backups to stay through all of it' test "$(find /var/backups/lastgood -type f | wc -l)" -gt 0
}

# Where systemctl is: a container may be without it.
enable_timers() {
  command -v systemctl > /dev/null || return 0
  local now=''
  ! running || now=--now
  systemctl --quiet enable ${now:+"$now"} lastgood.timer lastgood-verify.timer lastgood-prune.timer lastgood-drill.timer
  must 'an enabled timer' test -L "$timers/lastgood.timer"
}

# What has to be so once the program is removed: what it made is still there, and nothing would start it.
removed() {
  must 'settings to stay after a removal' test -e /etc/lastgood.env
  must 'no program' test ! -e /usr/bin/lastgood
  must 'no enabled timer' test ! -L "$timers/lastgood.timer"
  must 'no unit to be known' test -z "$(! running || systemctl list-units --all --no-legend 'lastgood*.timer' 'lastgood*.service')"
  must 'backups to stay' test "$(find /var/backups/lastgood -name '*.sql.gz' -o -name '*.dump*' | wc -l)" -gt 0
  must 'their owner to stay' getent passwd lastgood > /dev/null
}

purge() {
  enable_timers
  dpkg --remove lastgood >> /run/dpkg.log
  removed
  dpkg --purge lastgood >> /run/dpkg.log
  must 'backups to stay after a purge' test "$(find /var/backups/lastgood -name '*.sql.gz' -o -name '*.dump*' | wc -l)" -gt 0
  must 'their owner to stay' getent passwd lastgood > /dev/null
  # Once without backups: then nothing stays.
  mv /var/backups/lastgood /run/kept
  dpkg --force-unsafe-io --no-triggers --install "$package" >> /run/dpkg.log
  dpkg --purge lastgood >> /run/dpkg.log
  must 'no folder' test ! -e /var/backups/lastgood
  must 'no user' test -z "$(getent passwd lastgood)"
  mv /run/kept /var/backups/lastgood
}

# rpm has no purge: docs/install.md says what is left to remove by hand. An upgrade disables nothing.
erase() {
  enable_timers
  rpm --upgrade --replacepkgs "$package"
  must 'timers to stay enabled through an upgrade' test ! -e /usr/bin/systemctl -o -L "$timers/lastgood.timer"
  must 'files as they were packed' rpm --verify lastgood
  rpm --erase lastgood
  removed
  must 'nothing else' test ! -e /etc/logrotate.d/lastgood -a ! -e /usr/share/lastgood -a ! -e /usr/share/doc/lastgood
  rm -r /etc/lastgood.env /var/log/lastgood /var/log/lastgood.log /var/lib/lastgood
  rm -f /var/lib/systemd/timers/stamp-lastgood*
  userdel lastgood
}

main "$@"
