# shellcheck shell=bash
# The bucket from which CloudFormation reads functions and template, with an administrator's rights: nobody else's may ever
# take its place. So its owner is checked on every run, whoever named it. Sourced by deploy.sh.
# shellcheck disable=SC2154 # Other parts set these.

# Prints what a name is: ours, missing, foreign (or out of our sight), or what the AWS CLI said.
bucket_state() {
  local said
  if said=$(aws s3api head-bucket --bucket "$1" --expected-bucket-owner "$account" 2>&1); then
    echo ours
    return
  fi
  case $said in
    *'(404)'*) echo missing ;;
    *'(403)'*) echo foreign ;;
    *) echo "${said##*$'\n'}" ;;
  esac
}

choose_artifacts() {
  [[ -z ${artifacts-} ]] || return 0
  local default=lastgood-artifacts-$account-$AWS_DEFAULT_REGION name state
  if [[ -n ${ARTIFACTS_BUCKET-} ]]; then
    artifacts=$ARTIFACTS_BUCKET
    state=$(bucket_state "$artifacts")
    if [[ $state == missing ]]; then
      create_artifacts "$artifacts" || refuse_creation "$artifacts"
      return
    fi
    [[ $state == ours ]] || refuse_artifacts "$artifacts" "$state"
    return
  fi
  # The first is where new ones are made, the second where they were made before.
  for name in "$default-an" "$default"; do
    artifacts=$name
    state=$(bucket_state "$name")
    [[ $state != ours ]] || return 0
    [[ $state == missing || $state == foreign ]] || refuse_artifacts "$name" "$state"
  done
  create_default_artifacts "$default" "$state"
}

# In the account's own namespace, where nobody else can create a bucket. An older AWS CLI and two regions don't know it: there it
# is a name that anybody could have taken before.
create_default_artifacts() {
  artifacts=$1-an
  if create_artifacts "$artifacts" --bucket-namespace account-regional; then
    [[ $2 != foreign ]] || warn "the bucket $1 belongs to somebody else; this run uses $artifacts"
    return
  fi
  artifacts=$1
  [[ $2 == missing ]] || refuse_artifacts "$1" "$2"
  create_artifacts "$1" || refuse_creation "$1"
}

refuse_creation() {
  fail "the bucket $1 cannot be created: $(tail -n 1 "$work/error")" 'name one of your own: ARTIFACTS_BUCKET=NAME'
}

refuse_artifacts() {
  [[ $2 != foreign ]] ||
    fail "the bucket $1 is not this account's, or you may not see it: no function is uploaded to it, nor read from it" \
      'name a bucket of your own: ARTIFACTS_BUCKET=NAME'
  fail "the bucket $1 cannot be looked at: $2" 'name a bucket of your own: ARTIFACTS_BUCKET=NAME'
}

# Fails quietly, because there may be another name to try.
create_artifacts() {
  local bucket=$1 place=()
  shift
  [[ $AWS_DEFAULT_REGION == us-east-1 ]] ||
    place=(--create-bucket-configuration "LocationConstraint=$AWS_DEFAULT_REGION")
  aws s3api create-bucket --bucket "$bucket" ${place[@]+"${place[@]}"} "$@" > /dev/null 2> "$work/error" ||
    [[ $(bucket_state "$bucket") == ours ]] || return
  guard_artifacts "$bucket"
}

# Nothing current expires: CloudFormation reads an old function again when it takes an update back. A guard that is refused is told,
# because the next run finds the bucket there and doesn't try again.
guard_artifacts() {
  local arn=arn:$partition:s3:::$1
  local policy='{"Version":"2012-10-17","Statement":[{"Sid":"DenyPlainHttp","Effect":"Deny","Principal":"*","Action":"s3:*",
    "Resource":["'$arn'","'$arn'/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}'
  local lifecycle='{"Rules":[{"ID":"expire-replaced","Status":"Enabled","Filter":{"Prefix":""},
    "NoncurrentVersionExpiration":{"NoncurrentDays":30},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":2}}]}'
  local owned=(--bucket "$1" --expected-bucket-owner "$account")
  aws s3api put-public-access-block "${owned[@]}" --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true ||
    lacks "$1" 'public access block'
  aws s3api put-bucket-versioning "${owned[@]}" --versioning-configuration Status=Enabled || lacks "$1" versioning
  aws s3api put-bucket-lifecycle-configuration "${owned[@]}" --lifecycle-configuration "$lifecycle" > /dev/null ||
    lacks "$1" 'lifecycle rules'
  aws s3api put-bucket-policy "${owned[@]}" --policy "$policy" || lacks "$1" policy
}

lacks() {
  warn "the bucket $1 was created without its $2, because that was refused (see above): set it by hand"
}
