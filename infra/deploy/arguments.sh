# shellcheck shell=bash
# What the user says: options, the stack, its parameters. Sourced by deploy.sh.
# shellcheck disable=SC2034,SC2154 # Other parts read these, or set them.

stack=''
mode=deploy
ask=yes
build=yes
check=yes
connect=no
silence=no
release=''
role=''
parameters=()

read_arguments() {
  while (($#)); do
    case $1 in
      --release) take_value "$@" && release=$value && shift ;;
      --role-arn) take_value "$@" && role=$value && shift ;;
      --release=*) release=${1#*=} ;;
      --role-arn=*) role=${1#*=} ;;
      --yes) ask=no ;;
      --no-build) build=no ;;
      --no-check) check=no ;;
      --check) mode=check ;;
      --connect) connect=yes ;;
      --nobody-listens) silence=yes ;;
      --help) echo "$usage" && exit ;;
      -*) fail "unknown option $1" 'see infra/deploy.sh --help' 2 ;;
      *=*) parameters+=("$1") ;;
      *) if [[ -z $stack ]]; then stack=$1; else read_file "$1"; fi ;;
    esac
    shift
  done
  check_stack_name
  [[ $mode == deploy || ${#parameters[@]} == 0 ]] ||
    fail '--check changes nothing, so it takes no parameters' "name the stack alone: --check $stack" 2
  [[ $mode == check || $connect == no || ${#parameters[@]} != 0 || -n $release ]] || mode=connect
}

take_value() {
  [[ $# -gt 1 && -n $2 ]] || fail "$1 lacks its value" 'see infra/deploy.sh --help' 2
  value=$2
}

# The names of functions and roles are made of the stack's, and end at 64 characters.
check_stack_name() {
  [[ -n $stack ]] || fail 'the name of the stack is missing' 'see infra/deploy.sh --help' 2
  [[ $stack =~ ^[A-Za-z][A-Za-z0-9-]*$ ]] ||
    fail "a stack cannot be called $stack" 'begin with a letter, and use only letters, digits and hyphens' 2
  # The longest, with the longest region: STACK-ap-southeast-1-retention.
  ((${#stack} <= 39)) || fail "the stack's name $stack is too long" 'give it at most 39 characters' 2
}

# The AWS CLI ignores a parameter that the template does not have, and so would ignore a typing mistake.
refuse_unknown_parameters() {
  local name known
  known=$(template_parameters)
  for name in ${parameters[@]+"${parameters[@]%%=*}"}; do
    [[ $'\n'$known$'\n' == *$'\n'"$name"$'\n'* ]] ||
      fail "the stack has no parameter $name" 'infra/parameters.example lists all parameters' 2
  done
}

# What CloudFormation would find out only half way.
refuse_contradictions() {
  refuse_contradicting_days
  note_floor
  [[ -z $(parameter VpcSubnetIds) || -n $(parameter VpcSecurityGroupIds) ]] ||
    fail 'VpcSubnetIds needs VpcSecurityGroupIds' 'add: VpcSecurityGroupIds=GROUP,…' 2
}

# A rule of CloudFormation can't compare numbers. What this run doesn't name was compared when it was; but a stack from before there
# was a floor gets the template's, unnamed.
refuse_contradicting_days() {
  names ObjectLockDays || names ObjectLockMode || names DeleteAfterDays || gets_floor || return 0
  local lock mode delete floor
  lock=$(parameter ObjectLockDays) mode=$(parameter ObjectLockMode)
  delete=$(parameter DeleteAfterDays) floor=$(parameter NeverYoungerThanDays)
  [[ $lock$delete$floor =~ ^[0-9]+$ ]] || return 0
  ((delete == 0 || delete >= floor)) ||
    fail "DeleteAfterDays=$delete is below NeverYoungerThanDays=$floor, which wins" \
      "add NeverYoungerThanDays=$delete, or choose more days" 2
  ((delete == 0 || lock < delete)) ||
    fail "ObjectLockDays=$lock is not below DeleteAfterDays=$delete: retention could not delete" \
      'choose fewer days for the lock, or more for DeleteAfterDays' 2
  ((delete > 0 || lock <= floor)) ||
    fail "ObjectLockDays=$lock is above NeverYoungerThanDays=$floor: retention could not delete" \
      "add NeverYoungerThanDays=$lock: no age says what goes, so the keep rules may choose what is locked" 2
  [[ $mode != COMPLIANCE || $lock -gt 0 ]] ||
    fail 'ObjectLockMode=COMPLIANCE locks nothing while ObjectLockDays is 0' 'add ObjectLockDays=DAYS' 2
  if [[ $mode == COMPLIANCE ]]; then
    echo "Note: for $lock days nobody can delete a backup, not even the account's root user, and nobody can shorten that."
  elif [[ $lock == 0 && $(fact parameter.ObjectLockDays) -gt 0 ]]; then
    echo 'Note: S3 never switches Object Lock off: what is locked stays so until its days are over, and the bucket keeps versions for ever.'
  fi
}

# Without an age the keep rules alone choose what goes, and the floor keeps the youngest from them.
note_floor() {
  local rule kept=no changed=no floor
  for rule in KeepLast KeepDaily KeepWeekly KeepMonthly KeepYearly; do
    [[ $(parameter "$rule") == 0 ]] || kept=yes
    ! names "$rule" || changed=yes
  done
  floor=$(parameter NeverYoungerThanDays)
  [[ $kept == yes && $floor != 0 && $(parameter DeleteAfterDays) == 0 ]] || return 0
  [[ $changed == yes ]] || names DeleteAfterDays || gets_floor || return 0
  echo "Note: the keep rules remove no backup younger than $floor days (NeverYoungerThanDays; 0 is off)."
}

# Whether this run sets it, or brings it to a stack that has none yet.
gets_floor() {
  names NeverYoungerThanDays || [[ $'\n'$facts != *$'\n'parameter.NeverYoungerThanDays$'\t'* ]]
}

# Each line but comments and empty ones is a parameter.
read_file() {
  local line
  [[ -r $1 ]] || fail "cannot read $1" 'give a file like infra/parameters.example, or PARAMETER=VALUE' 2
  while read -r line || [[ -n $line ]]; do
    [[ -z $line || $line == '#'* ]] || parameters+=("$line")
  done < "$1"
}

# Whether this run names a parameter itself.
names() {
  local given
  for given in ${parameters[@]+"${parameters[@]}"}; do
    [[ $given != "$1="* ]] || return 0
  done
  return 1
}

# The value that a parameter will have after this run: named now, deployed before, or the template's default.
parameter() {
  local given value=''
  if names "$1"; then
    for given in "${parameters[@]}"; do
      [[ $given != "$1="* ]] || value=${given#*=}
    done
    echo "$value"
  elif [[ $facts == *"parameter.$1"$'\t'* ]]; then
    fact "parameter.$1"
  else
    template_default "$1"
  fi
}
