#!/usr/bin/env bash
# Builds the functions, shows what a deployment would change, and deploys it. Running it again with nothing new changes
# nothing. Needs the AWS CLI with an account's credentials, and cargo-lambda (`make tools` puts both under target/python).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PWD/target/python/bin:$PATH

readonly usage='usage: infra/deploy.sh [--yes] [--no-build] STACK [PARAMETER=VALUE | FILE]...

  STACK            the stack to create or update
  PARAMETER=VALUE  a parameter of infra/template.yaml; all others keep their present value
  FILE             a file of such lines, like infra/parameters.example
  --yes            deploy without asking; the changes are still shown
  --no-build       deploy the existing target/functions/{verify,retention,freshness}/bootstrap

ARTIFACTS_BUCKET   the bucket to upload the functions to; created if missing
                   (default: lastgood-artifacts-ACCOUNT-REGION)'

# Of Lambda's provided.al2023.
readonly newest_glibc=2.34
readonly functions=target/functions
readonly packaged=$functions/template.yaml

stack=''
ask=yes
build=yes
parameters=()

main() {
  read_arguments "$@"
  require_tools
  find_account
  choose_bucket
  refuse_contradictions
  [[ $build == no ]] || build_functions
  package
  local changes
  changes=$(create_change_set)
  if [[ -n $changes ]]; then
    show "$changes"
    confirm
    execute "$changes"
  else
    echo "Nothing to change: $stack is up to date."
  fi
  show_outputs
}

fail() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit "${3:-1}"
}

read_arguments() {
  local argument
  for argument; do
    case $argument in
      --yes) ask=no ;;
      --no-build) build=no ;;
      --help) echo "$usage" && exit ;;
      -*) fail "unknown option $argument" 'see infra/deploy.sh --help' 2 ;;
      *=*) parameters+=("$argument") ;;
      *) if [[ -z $stack ]]; then stack=$argument; else read_file "$argument"; fi ;;
    esac
  done
  [[ -n $stack ]] || fail 'the name of the stack is missing' 'see infra/deploy.sh --help' 2
  refuse_unknown_parameters
}

# The AWS CLI ignores a parameter that the template does not have, and so would ignore a typing mistake.
refuse_unknown_parameters() {
  local known name
  known=$(sed -n '/^Parameters:/,/^Conditions:/s/^  \([A-Za-z]*\):$/\1/p' infra/template.yaml)
  for name in "${parameters[@]%%=*}"; do
    grep --quiet --line-regexp --fixed-strings -- "$name" <<< "$known" ||
      fail "the stack has no parameter $name" 'infra/parameters.example lists all parameters' 2
  done
}

# A rule of CloudFormation can't compare numbers. What this run doesn't name was compared when it was.
refuse_contradictions() {
  [[ " ${parameters[*]-}" =~ \ (ObjectLockDays|ObjectLockMode|DeleteAfterDays|NeverYoungerThanDays)= ]] || return 0
  local lock mode delete floor
  lock=$(value_of ObjectLockDays) mode=$(value_of ObjectLockMode)
  delete=$(value_of DeleteAfterDays) floor=$(value_of NeverYoungerThanDays)
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
  elif [[ $lock == 0 && " ${parameters[*]}" == *' ObjectLockDays='* && $(deployed ObjectLockDays) -gt 0 ]]; then
    echo 'Note: S3 never switches Object Lock off: what is locked stays so until its days are over, and the bucket keeps versions for ever.'
  fi
}

# The value that a parameter will have: named now, deployed before, or the template's default.
value_of() {
  local value
  value=$(parameter "$1")
  [[ -n $value ]] || value=$(sed -n "/^  $1:\$/,/^  [A-Za-z]*:\$/s/^    Default: *//p" infra/template.yaml)
  echo "$value"
}

# The value that a parameter has in the deployed stack; nothing where there is none.
deployed() {
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Parameters[?ParameterKey=='$1'].ParameterValue" 2> /dev/null || true
}

# Each line but comments and empty ones is a parameter. The path is relative to the user's own folder.
read_file() {
  local line file=$1
  [[ $file == /* ]] || file=$OLDPWD/$file
  [[ -r $file ]] || fail "cannot read $file" 'give a file like infra/parameters.example, or PARAMETER=VALUE' 2
  while read -r line || [[ -n $line ]]; do
    [[ -z $line || $line == '#'* ]] || parameters+=("$line")
  done < "$file"
}

require_tools() {
  command -v aws > /dev/null || fail 'the AWS CLI is missing' 'run: make tools, or: apt-get install awscli'
  [[ $build == no ]] || command -v cargo-lambda > /dev/null ||
    fail 'cargo-lambda is missing' 'run: make tools, or: pip install cargo-lambda'
}

find_account() {
  # Version 1 of the AWS CLI reads only the second name.
  export AWS_DEFAULT_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  [[ -n $AWS_DEFAULT_REGION ]] || fail 'no AWS region is set' 'export AWS_REGION=…, or run: aws configure' 2
  account=$(aws sts get-caller-identity --query Account --output text) ||
    fail 'the AWS CLI has no working credentials' 'run: aws configure, or: aws sso login'
}

# Only for a new stack: a later run that names no bucket must not move the backups to another one.
choose_bucket() {
  [[ " ${parameters[*]-}" != *' BucketName='* ]] || return 0
  stack_exists || parameters+=("BucketName=$stack-$account-$AWS_DEFAULT_REGION")
}

# A stack whose first deployment was not confirmed is a name without resources or parameters.
stack_exists() {
  local status
  status=$(stack_status 2> /dev/null) && [[ $status != REVIEW_IN_PROGRESS ]]
}

stack_status() {
  aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text
}

build_functions() {
  local target=--x86-64
  [[ $(parameter Architecture) != arm64 ]] || target=--arm64
  # Nothing is downloaded unasked: the user adds a missing target with rustup.
  # Without this variable AWS-LC gathers CPU jitter when a function starts (docs/security.md, Entropy).
  AWS_LC_SYS_NO_JITTER_ENTROPY=1 cargo lambda build --profile function --locked --package lambdas \
    --lambda-dir "$functions" "$target" --skip-target-check
}

# The value that this run will give a parameter: named now, or deployed before.
parameter() {
  local given value=''
  for given in "${parameters[@]-}"; do
    [[ $given != "$1="* ]] || value=${given#*=}
  done
  [[ -n $value ]] || value=$(deployed "$1")
  echo "$value"
}

package() {
  local name
  for name in verify retention freshness; do
    [[ -x $functions/$name/bootstrap ]] ||
      fail "$functions/$name/bootstrap is missing" 'run infra/deploy.sh without --no-build'
    check_glibc "$functions/$name/bootstrap"
    # The upload is named by the digest of the zip, which holds this time: the same code must give the same name.
    touch --date=2000-01-01T00:00:00Z "$functions/$name/bootstrap"
  done
  artifacts=${ARTIFACTS_BUCKET:-lastgood-artifacts-$account-$AWS_DEFAULT_REGION}
  aws s3api head-bucket --bucket "$artifacts" > /dev/null 2>&1 || aws s3 mb "s3://$artifacts"
  aws cloudformation package --template-file infra/template.yaml --s3-bucket "$artifacts" \
    --output-template-file "$packaged" > /dev/null
}

# A function that needs a newer glibc does not start on Lambda. With --no-build this only warns, because a local AWS may
# run it.
check_glibc() {
  local needed problem
  needed=$(grep --text --only-matching 'GLIBC_2\.[0-9]*' "$1" | sort --unique --version-sort | tail -n 1) || true
  printf '%s\n' "$needed" "GLIBC_$newest_glibc" | sort --check=quiet --version-sort && return
  problem="$1 needs $needed, but Lambda has GLIBC_$newest_glibc"
  [[ $build == no ]] || fail "$problem" 'install zig, which cargo-lambda builds with: make tools'
  echo "warning: $problem" >&2
}

# Prints the change set's ARN, or nothing when nothing would change.
create_change_set() {
  local answer
  answer=$(aws cloudformation deploy --stack-name "$stack" --template-file "$packaged" --s3-bucket "$artifacts" \
    --capabilities CAPABILITY_NAMED_IAM --no-execute-changeset --no-fail-on-empty-changeset --tags "lastgood=$stack" \
    ${parameters[@]+--parameter-overrides "${parameters[@]}"}) ||
    fail 'CloudFormation refused the change' \
      "if the first deployment failed (ROLLBACK_COMPLETE), run: aws cloudformation delete-stack --stack-name $stack"
  grep --only-matching --max-count=1 'arn:[^ ]*:changeSet/[^ ]*' <<< "$answer" || true
}

show() {
  echo "Changes to the stack $stack:"
  aws cloudformation describe-change-set --change-set-name "$1" --output table --query \
    'Changes[].ResourceChange.{"1 Action":Action,"2 Resource":LogicalResourceId,"3 Type":ResourceType,"4 Replaced":Replacement}'
}

confirm() {
  [[ $ask == yes ]] || return 0
  local answer=''
  read -r -p 'Deploy? Type yes: ' answer || true
  [[ $answer == yes ]] || fail 'not deployed' 'run it again and type yes, or add --yes'
}

execute() {
  local deployed='stack-create-complete'
  ! stack_exists || deployed='stack-update-complete'
  aws cloudformation execute-change-set --change-set-name "$1"
  aws cloudformation wait "$deployed" --stack-name "$stack" ||
    fail "$stack was not deployed" "see: aws cloudformation describe-stack-events --stack-name $stack"
  echo "Deployed $stack."
}

show_outputs() {
  # shellcheck disable=SC2016 # The backquotes are JMESPath's: a literal newline.
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query 'Stacks[0].Outputs[].[join(`"\n"`, [`""`, join(`""`, [Description, `" ("`, OutputKey, `"):"`]), OutputValue])]'
}

main "$@"
