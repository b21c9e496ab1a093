#!/usr/bin/env bash
# Shows what a deployment would change, and deploys it. Running it again with nothing new changes nothing.
#
# With --release, or when it lies in a folder that `make functions` has built, it needs bash, the core utilities (tar for a
# .tar.gz) and the AWS CLI with an account's credentials: CloudShell has all of them. In a checkout it builds the functions first
# (infra/functions.sh). It is written for bash 3.2, which macOS has, and for options that GNU's and BSD's tools share.
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2034 # The parts use what is set here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(dirname "$here")
# Only in a checkout: what lies beside a downloaded folder is anybody's.
self=infra/deploy.sh
if [[ -f $here/SHA256SUMS ]]; then self=$0; else PATH=$checkout/target/python/bin:$PATH; fi

source "$here/deploy/arguments.sh"
source "$here/deploy/release.sh"
source "$here/deploy/artifacts.sh"
source "$here/deploy/bucket.sh"
source "$here/deploy/vault.sh"
source "$here/deploy/connect.sh"
source "$here/deploy/stack.sh"
source "$here/deploy/doctor.sh"
source "$here/deploy/guards.sh"

# shellcheck disable=SC2016 # The backquotes are meant.
readonly usage='usage: infra/deploy.sh [OPTION]... STACK [PARAMETER=VALUE | FILE]...
       infra/deploy.sh --check STACK
       infra/deploy.sh --connect STACK

  STACK             the stack to create or update
  PARAMETER=VALUE   a parameter of template.yaml; all others keep their present value
  FILE              a file of such lines, like parameters.example
  --release PATH    deploy what `make functions` built: its folder, or that as a .tar.gz or .zip; nothing is compiled
  --no-build        deploy the existing target/functions/{verify,retention,freshness}/bootstrap
  --yes             deploy without asking; the changes are still shown
  --connect         add what is missing to the events and the policy of the bucket, dropping nothing that is there: for a bucket
                    that was there before the stack, or one that was changed since; with STACK alone nothing else is done
  --nobody-listens  deploy a stack that can tell nobody: neither Email nor HeartbeatUrl
  --role-arn ARN    the role that CloudFormation makes the changes with
  --no-check        do not look the stack over in the end
  --check           only look the stack over: what works, who listens, what differs from the template;
                    0 when all is well, 1 with findings

ARTIFACTS_BUCKET    the bucket to upload the functions to; created if missing
                    (default: lastgood-artifacts-ACCOUNT-REGION, with -an at its end if it is new)'

main() {
  read_arguments "$@"
  make_work_folder
  open_release
  require_aws
  find_account
  read_stack
  case $mode in
    check) check_stack && return || exit 1 ;;
    connect) require_stack && connect_bucket && return || exit 1 ;;
  esac
  refuse_unknown_parameters
  lock_the_vault
  refuse_contradictions
  refuse_half_a_vault
  refuse_silence
  make_vault
  choose_bucket
  check_existing_bucket
  choose_artifacts
  build_functions
  package
  deploy
  connect_bucket
  show_outputs
  show_vault
  [[ $check == no ]] || check_stack || true
}

fail() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit "${3:-1}"
}

warn() {
  printf 'warning: %s\n' "$1" >&2
}

# Bound to bash, so that it goes with whatever ends the script.
make_work_folder() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
}

require_aws() {
  command -v aws > /dev/null || fail 'the AWS CLI is missing' 'run: make tools, or: apt-get install awscli'
}

find_account() {
  # Version 1 of the AWS CLI reads only the second name.
  export AWS_DEFAULT_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  [[ -n $AWS_DEFAULT_REGION ]] || fail 'no AWS region is set' 'export AWS_REGION=…, or run: aws configure' 2
  local identity
  identity=$(aws sts get-caller-identity --query '[Account,Arn]' --output text) ||
    fail 'the AWS CLI has no working credentials' 'run: aws configure, or: aws sso login'
  account=${identity%%$'\t'*}
  identity=${identity#*arn:}
  partition=${identity%%:*}
}

main "$@"
