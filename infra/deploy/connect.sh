# shellcheck shell=bash
# Adds to a bucket that was there before the stack what a bucket of the stack's own has: the events, and the guards in its
# policy. Both are one document each in S3, so they are read, completed, shown and put; nothing in them is dropped. The AWS CLI
# can't merge documents: that needs python3 (connect.py). Sourced by deploy.sh.
# shellcheck disable=SC2154 # Other parts set these.

connect_bucket() {
  [[ $connect == yes || $(parameter ExistingBucket) == true ]] || return 0
  read_stack
  local bucket
  bucket=$(fact parameter.BucketName)
  [[ -n $(fact output.ExistingBucketPolicy) ]] ||
    fail "the stack $stack is older than this script, and doesn't say what its bucket needs" "update it first: $self $stack"
  if is_new_vault "$bucket"; then
    wanted_policy > "$work/policy.wanted"
    put_policy "$bucket" "$work/policy.wanted" || fail "the vault $bucket admits nothing: its policy was not put" 'see above, and run it again'
    echo "The vault $bucket is guarded, and admits what is replicated."
  fi
  if ! command -v python3 > /dev/null; then
    warn "python3 is missing, which completes the bucket's documents: add EventBridge and the output ExistingBucketPolicy by hand"
    return 0
  fi
  connect_document "$bucket" events
  connect_document "$bucket" policy
}

# A vault's bucket is another stack's, and has no policy before this stack's roles are there: nothing is merged then, nor asked.
is_new_vault() {
  local policy
  [[ -n $(fact parameter.VaultOf) ]] && policy=$(read_policy "$1") && [[ -z $policy ]]
}

# $1 bucket, $2 events or policy
connect_document() {
  local changes present=$work/$2.present wanted=$work/$2.wanted merged=$work/$2.merged
  "read_$2" "$1" > "$present" || fail "the $2 of the bucket $1 cannot be read" "it needs the right to read them"
  "wanted_$2" > "$wanted"
  changes=$(python3 "$here/deploy/connect.py" "$2" "$present" "$wanted" "$merged" "$stack") ||
    fail "the $2 of the bucket $1 cannot be completed" 'see above; the output ExistingBucketPolicy says what its policy needs'
  [[ -n $changes ]] || return 0
  echo "What the bucket $1 lacks in its $2:"
  printf '%s\n' "$changes"
  if agreed; then
    "put_$2" "$1" "$merged" || fail "the $2 of the bucket $1 were not changed" 'see above; its policy may leave that to AdminArns'
    echo "Added to the $2 of $1."
  else
    warn "the $2 of the bucket $1 stay as they are; to add it: $self --connect $stack"
  fi
}

# --connect says yes to what --yes alone doesn't: it changes something that isn't the stack's.
agreed() {
  [[ $connect == no || $ask == yes ]] || return 0
  [[ $ask == yes ]] || return 1
  local answer=''
  read -r -p 'Add it? Type yes: ' answer || true
  [[ $answer == yes ]]
}

read_events() {
  aws s3api get-bucket-notification-configuration --bucket "$1" --expected-bucket-owner "$account" --output json
}

wanted_events() {
  echo '{"EventBridgeConfiguration":{}}'
}

wanted_policy() {
  fact output.ExistingBucketPolicy
}

put_events() {
  aws s3api put-bucket-notification-configuration --bucket "$1" --expected-bucket-owner "$account" \
    --notification-configuration "file://$2"
}

put_policy() {
  aws s3api put-bucket-policy --bucket "$1" --expected-bucket-owner "$account" --policy "file://$2"
}
