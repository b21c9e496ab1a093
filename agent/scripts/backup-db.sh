#!/bin/sh
# The guide's name for `lastgood backup`, so that an existing crontab line keeps working.
# Settings come from .env in the folder above this one, where the guide keeps it. The guide's defaults apply.
set -eu
here=$(dirname -- "$0")
# cron's PATH is /usr/bin:/bin.
PATH="$PATH:/usr/local/bin:$here:$(dirname -- "$(readlink -f -- "$0")")"
if ! command -v lastgood >/dev/null; then
    echo "error: lastgood was not found in $PATH" >&2
    echo "hint: install it into /usr/local/bin, or put it beside this script" >&2
    exit 2
fi
export PATH LASTGOOD_DEFAULTS="${LASTGOOD_DEFAULTS:-guide}"
# A link to this script lies where people look for it; the settings lie beside the script itself.
for folder in "$here" "$(dirname -- "$(readlink -f -- "$0")")"; do
    if [ -f "$folder/../.env" ]; then
        set -- --env-file "$folder/../.env" "$@"
        break
    fi
done
exec lastgood backup "$@"
