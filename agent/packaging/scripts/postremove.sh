#!/bin/sh
# After removing: systemd forgets the units. After purging, which rpm doesn't know: what the units and their user left goes, but
# never a backup.
set -e

case "$1" in
    remove | purge | 0) [ ! -d /run/systemd/system ] || systemctl daemon-reload ;;
esac
[ "$1" = purge ] || exit 0

rm -rf /var/lib/lastgood /var/log/lastgood
rm -f /etc/lastgood.env /etc/lastgood.toml /var/log/lastgood.log /run/lock/lastgood-*.lock
rm -f /var/lib/systemd/timers/stamp-lastgood.timer /var/lib/systemd/timers/stamp-lastgood-*.timer
# Stays with what is in it.
[ ! -d /var/backups/lastgood ] || rmdir --ignore-fail-on-non-empty /var/backups/lastgood

# As long as backups may be the user's, the user stays: another one could get its number, and with it the backups.
for other in /var/backups/lastgood /etc/systemd/system/lastgood.service.d; do
    [ ! -e "$other" ] || exit 0
done
if getent passwd lastgood > /dev/null; then userdel lastgood; fi
if getent group lastgood > /dev/null; then groupdel lastgood; fi
