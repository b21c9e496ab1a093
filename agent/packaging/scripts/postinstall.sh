#!/bin/sh
# After installing or upgrading: the user of the units, and the folder of the backups. Nothing is enabled or started.
# dpkg says `configure`, rpm how many versions there are now.
set -e

case "$1" in
    configure | 1 | 2) ;;
    *) exit 0 ;;
esac

getent group lastgood > /dev/null || groupadd --system lastgood
getent passwd lastgood > /dev/null ||
    useradd --system --gid lastgood --home-dir /var/lib/lastgood --no-create-home --shell /usr/sbin/nologin lastgood
# Backups that are there already keep their owner.
[ -e /var/backups/lastgood ] || install -d -o lastgood -g lastgood -m 700 /var/backups/lastgood

if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # Those that run take over a changed schedule.
    systemctl try-restart lastgood.timer lastgood-verify.timer lastgood-prune.timer lastgood-drill.timer
fi
