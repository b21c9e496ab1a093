# shellcheck shell=bash
# Where the functions and the template come from: a folder that `make functions` built. Sourced by deploy.sh.
# shellcheck disable=SC2154 # Other parts set these.

# Finds the template; a given release is unpacked and checked first. In a checkout the functions are built later, once
# nothing else can fail.
open_release() {
  template=$here/template.yaml
  if [[ -n $release ]]; then
    [[ -e $release ]] || fail "there is no $release" 'name a folder, .tar.gz or .zip that make functions built' 2
    [[ -d $release ]] || unpack_release
    release=$(cd "$release" && pwd)
  elif [[ -f $here/SHA256SUMS ]]; then
    release=$here
  else
    return 0
  fi
  template=$release/template.yaml
  check_sums
}

build_functions() {
  [[ -z $release ]] || return 0
  local skip=()
  [[ $build == yes ]] || skip=(--no-build)
  "$here/functions.sh" ${skip[@]+"${skip[@]}"} "$(architecture)" || exit
  release=$checkout/target/lastgood-functions
  template=$release/template.yaml
  check_sums
}

architecture() {
  local chosen
  chosen=$(parameter Architecture)
  echo "${chosen:-x86_64}"
}

# A release is one folder, in its archive as well.
unpack_release() {
  local file=$release
  mkdir "$work/release"
  case $file in
    *.tar.gz | *.tgz) tar -xzf "$file" -C "$work/release" ;;
    *.zip) unpack_zip "$file" ;;
    *) fail "$file is neither a folder nor an archive" 'give a folder, a .tar.gz or a .zip that make functions built' 2 ;;
  esac || fail "$file cannot be unpacked" 'download it again'
  release=$work/release
  [[ -f $release/SHA256SUMS ]] || release=$(one_folder "$work/release")
}

unpack_zip() {
  if command -v unzip > /dev/null; then
    unzip -q "$1" -d "$work/release"
  elif command -v python3 > /dev/null; then
    python3 -m zipfile -e "$1" "$work/release"
  else
    fail "nothing here unpacks $1: unzip is missing" 'give the .tar.gz, or the unpacked folder'
  fi
}

one_folder() {
  local found=("$1"/*/)
  echo "${found[0]%/}"
}

# A download that broke off, or a file that was changed, is not deployed. Everything that is used must be listed.
check_sums() {
  local file sums
  [[ -f $release/SHA256SUMS ]] || fail "$release has no SHA256SUMS" 'give a folder that make functions built, or its archive'
  sums=$(< "$release/SHA256SUMS")
  for file in "$release"/*.yaml "$release"/*/*.zip; do
    file=${file#"$release/"}
    [[ $sums == *"  $file"* ]] || fail "SHA256SUMS doesn't list $file" 'download the release again'
  done
  if command -v sha256sum > /dev/null; then
    (cd "$release" && sha256sum -c SHA256SUMS)
  else
    (cd "$release" && shasum -a 256 -c SHA256SUMS)
  fi > "$work/sums" 2>&1 || fail "$release is not what was built: $(differing)" 'download it again'
}

differing() {
  local line list=''
  while IFS= read -r line; do
    [[ $line != *': FAILED'* ]] || list+="${list:+, }${line%%: FAILED*}"
  done < "$work/sums"
  echo "${list:-its SHA256SUMS cannot be read} ${list:+differs}"
}

# Their names, one a line.
template_parameters() {
  local line inside=no named='^  ([A-Za-z0-9]+):$'
  while IFS= read -r line; do
    case $line in
      Parameters:) inside=yes ;;
      [A-Z]*) inside=no ;;
    esac
    [[ $inside == no || ! $line =~ $named ]] || echo "${BASH_REMATCH[1]}"
  done < "$template"
}

template_default() {
  local line inside=no
  while IFS= read -r line; do
    if [[ $line == "  $1:" ]]; then inside=yes; elif [[ $line == '  '[A-Za-z]*: ]]; then inside=no; fi
    if [[ $inside == yes && $line == '    Default: '* ]]; then
      line=${line#*: }
      line=${line#\'}
      echo "${line%\'}"
      return
    fi
    [[ $line != Resources: ]] || return 0
  done < "$template"
}

require_functions() {
  local name
  for name in verify retention freshness; do
    [[ -f $release/$1/$name.zip ]] || fail "$release has no $1/$name.zip" \
      "choose the other architecture (Architecture=…), or build this one: make functions ARCHITECTURES=$1"
  done
}

# The template with absolute paths to this architecture's zips, wherever the release lies.
package() {
  local architecture
  architecture=$(architecture)
  require_functions "$architecture"
  local line quoted=${release//\'/\'\'} code='^( +Code: )[a-z0-9_]+/([a-z]+\.zip)$'
  while IFS= read -r line; do
    if [[ $line =~ $code ]]; then
      line="${BASH_REMATCH[1]}'$quoted/$architecture/${BASH_REMATCH[2]}'"
    fi
    printf '%s\n' "$line"
  done < "$template" > "$work/template.yaml"
  # It uploads a zip as it is, under the name of its digest.
  aws cloudformation package --template-file "$work/template.yaml" --s3-bucket "$artifacts" \
    --output-template-file "$work/packaged.yaml" > /dev/null
}
