#!/usr/bin/env bash
# Puts PostgreSQL's own regression tests under target/regression: Debian's source package of the server that is installed here,
# and the library that its tests are written in, compiled. Their database is a case of the corpus (tests/wild/regression-database).
# Asks nothing; costs nothing when it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=target/regression

main() {
  local major version
  major=$(ls /usr/lib/postgresql | sort -n | tail -1)
  version=$(dpkg-query --show --showformat '${Version}' "postgresql-$major")
  # Written last: half a folder is none.
  [[ -e $folder/$version ]] && return
  echo "Fetching the regression tests of PostgreSQL $version …"
  rm -rf "$folder"
  mkdir -p "$folder/work" "$folder/lib"
  fetch "$major" "$version"
  tar -xf "$folder"/work/*.orig.tar.* -C "$folder/work" --strip-components 1 --wildcards '*/src/test/regress'
  cp -r "$folder"/work/src/test/regress/{sql,expected,data,parallel_schedule,resultmap} "$folder"
  compile "$major"
  rm -r "$folder/work"
  touch "$folder/$version"
}

# $1: major version, $2: Debian's whole one. Sources of packages needn't be enabled here: a list of our own has them.
fetch() {
  local work=$PWD/$folder/work
  mkdir -p "$work"/{lists/partial,sources}
  sources > "$work/sources/sources.sources"
  local -a own=(-o "Dir::Etc::SourceParts=$work/sources" -o Dir::Etc::SourceList=/dev/null -o "Dir::State::Lists=$work/lists")
  own+=(-o APT::Sandbox::User=root)
  apt-get "${own[@]}" update -qq
  (
    cd "$work"
    apt-get "${own[@]}" source -qq --download-only "postgresql-$1=$2" > /dev/null
    # Headers alone: the package would bring a whole compiler along.
    apt-get "${own[@]}" download -qq "postgresql-server-dev-$1=$2" "libpq-dev=$2"
    local package
    for package in *.deb; do dpkg --extract "$package" headers; done
  )
}

# What this machine's own lists say, binaries and sources, in whichever of the two forms it has them.
sources() {
  local lists=/etc/apt/sources.list.d/debian.sources
  if [[ -e $lists ]]; then
    sed 's/^Types:.*/Types: deb deb-src/' "$lists"
  else
    sed -n -E 's/^deb( \[[^]]*\])? (\S+) (\S+) (.*)$/Types: deb deb-src\nURIs: \2\nSuites: \3\nComponents: \4\n/p' \
      /etc/apt/sources.list
  fi
}

compile() {
  local include=$folder/work/headers/usr/include/postgresql
  cc -O1 -shared -fPIC -I"$include/$1/server" -I"$include/internal" -I"$include" -o "$folder/lib/regress.so" \
    "$folder/work/src/test/regress/regress.c"
  # Two of contrib that its triggers call.
  cp "/usr/lib/postgresql/$1/lib"/{autoinc,refint}.so "$folder/lib"
}

main "$@"
