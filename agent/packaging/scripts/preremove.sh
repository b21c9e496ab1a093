#!/bin/sh
# Before removing, not before upgrading: stops what runs, and disables the timers.
# dpkg says `remove` or `upgrade`, rpm how many versions there will be.
set -e

case "$1" in
    remove | 0) ;;
    *) exit 0 ;;
esac

command -v systemctl > /dev/null || exit 0
timers='lastgood.timer lastgood-verify.timer lastgood-prune.timer lastgood-drill.timer'
systemctl --quiet disable $timers
if [ -d /run/systemd/system ]; then
    systemctl stop $timers lastgood.service lastgood-verify.service lastgood-prune.service lastgood-drill.service
fi
