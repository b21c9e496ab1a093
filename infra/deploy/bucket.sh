# shellcheck shell=bash
# The bucket with the backups: its name, one that outlived its stack, and one that was there before. Sourced by deploy.sh.
# shellcheck disable=SC2034,SC2154 # Other parts read these, or set them.

# Only for a new stack: a later run that names no bucket must not move the backups to another one.
choose_bucket() {
  [[ $exists == no ]] || return 0
  local bucket
  names BucketName || parameters+=("BucketName=$(default_bucket)")
  bucket=$(parameter BucketName)
  ! names ExistingBucket || return 0
  case $(bucket_state "$bucket") in
    missing) ;;
    ours) take_retained "$bucket" ;;
    foreign)
      fail "the bucket $bucket is not this account's, or you may not see it" 'choose another name: BucketName=NAME'
      ;;
    *) warn "the bucket $bucket cannot be looked at" ;;
  esac
}

# S3 wants small letters, 63 characters at most, and not its own prefixes.
default_bucket() {
  local name end=-$account-$AWS_DEFAULT_REGION
  name=$(printf %s "$stack" | tr '[:upper:]' '[:lower:]')
  case $name in
    xn--* | sthree-* | amzn-s3-demo-*) name=lastgood-$name ;;
  esac
  if ((${#name} + ${#end} > 63)); then
    local digest
    digest=$(printf %s "$stack" | cksum)
    digest=${digest%% *}
    name=${name:0:63 - ${#end} - ${#digest} - 1}
    name=${name%-}-$digest
  fi
  echo "$name$end"
}

# A deleted stack leaves its bucket and the policy that guards it. The next one takes both as they are. Any other bucket is somebody's
# for another purpose: it is taken, and its policy completed, only for who says so.
take_retained() {
  local owner
  if owner=$(aws cloudformation describe-stack-resources --physical-resource-id "$1" --output text \
    --query "StackResources[?PhysicalResourceId=='$1'].StackName | [0]" 2>&1); then
    [[ $owner == None ]] || fail "the bucket $1 belongs to the stack $owner" \
      "update that one ($self $owner), or share its bucket: BucketName=$1 ExistingBucket=true Prefix=ANOTHER"
  elif [[ $owner != *'does not exist'* ]]; then
    fail "nothing says whose the bucket $1 is: ${owner##*$'\n'}" "if no stack has it, add: BucketName=$1 ExistingBucket=true"
  fi
  was_ours "$1" || fail "the bucket $1 is there already, and its policy doesn't show that a stack with this prefix left it" \
    "if the backups are to go there, add: ExistingBucket=true, and --connect to complete its events and its policy"
  echo "The bucket $1 is there already, and no stack has it: it is taken with its backups, its settings and its policy as they are."
  echo "The parameters ObjectLockDays, GlacierDays and NoncurrentDays don't change it (ExistingBucket=true)."
  parameters+=(ExistingBucket=true)
  # Its policy is of an earlier stack of this kind, so that stack's names in it make room for this one's.
  connect=yes
}

# Whether the policy of a bucket has the guards of a stack with this prefix.
was_ours() {
  local policy
  policy=$(read_policy "$1") && [[ $'\n'$(guarded_prefixes "$1" "$policy")$'\n' == *$'\n'"$(parameter Prefix)"$'\n'* ]]
}

# What would make the functions fail, or never start, in a bucket that the stack doesn't create.
check_existing_bucket() {
  [[ $(parameter ExistingBucket) == true ]] || return 0
  local bucket
  bucket=$(parameter BucketName)
  case $(bucket_state "$bucket") in
    ours) ;;
    missing) fail "there is no bucket $bucket" 'correct BucketName, or leave ExistingBucket out: then it is created' ;;
    *) fail "the bucket $bucket is not this account's, or you may not see it" 'name a bucket of this account: BucketName=NAME' ;;
  esac
  check_region "$bucket"
  check_default_key "$bucket"
  check_policy_demands "$bucket"
  warn_of_foreign_objects "$bucket"
}

# Where it isn't enforced, an object is its writer's: another account's backups couldn't be read back.
warn_of_foreign_objects() {
  local owner
  owner=$(aws s3api get-bucket-ownership-controls --bucket "$1" --expected-bucket-owner "$account" --output text \
    --query 'OwnershipControls.Rules[0].ObjectOwnership' 2> /dev/null) || return 0
  [[ $owner != ObjectWriter ]] ||
    warn "what other accounts put into $1 stays theirs, and verify can't read it (ObjectOwnership=ObjectWriter)"
}

bucket_region() {
  local region
  region=$(aws s3api get-bucket-location --bucket "$1" --expected-bucket-owner "$account" \
    --query LocationConstraint --output text) || return
  case $region in
    None | '') echo us-east-1 ;;
    EU) echo eu-west-1 ;;
    *) echo "$region" ;;
  esac
}

check_region() {
  local region
  region=$(bucket_region "$1") || fail "the region of the bucket $1 cannot be read" 'it needs the right s3:GetBucketLocation'
  [[ $region == "$AWS_DEFAULT_REGION" ]] ||
    fail "the bucket $1 lies in $region, the stack in $AWS_DEFAULT_REGION: its events would never arrive" \
      "deploy the stack in the bucket's region: export AWS_REGION=$region"
}

# Objects that the bucket's default encrypts with a customer's key need that key in every policy.
check_default_key() {
  local key
  key=$(aws s3api get-bucket-encryption --bucket "$1" --expected-bucket-owner "$account" --output text --query \
    'ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.KMSMasterKeyID' 2> /dev/null) || return 0
  case $key in
    None | '' | *alias/aws/s3) ;;
    arn:*:key/*)
      [[ ",$(parameter KmsKeyArn)," == *",$key,"* ]] ||
        fail "the bucket $1 encrypts with $key, which the stack's identities may not use" "add: KmsKeyArn=$key"
      ;;
    *)
      [[ -n $(parameter KmsKeyArn) ]] ||
        fail "the bucket $1 encrypts with the key $key, which the stack's identities may not use" \
          "add its ARN: KmsKeyArn=\$(aws kms describe-key --key-id $key --query KeyMetadata.Arn --output text)"
      ;;
  esac
}

# Not what the policy means, only whether it speaks of a header, a network or another stack's prefix.
check_policy_demands() {
  local policy sse=AES256
  policy=$(read_policy "$1") || fail "the policy of the bucket $1 cannot be read" 'it needs the right s3:GetBucketPolicy'
  if [[ $policy == *'"s3:x-amz-server-side-encryption"'* && -z $(parameter SseHeader) ]]; then
    [[ $policy != *'"aws:kms"'* ]] || sse=aws:kms
    fail "the policy of the bucket $1 asks for an encryption header, which the functions don't send" "add: SseHeader=$sse"
  fi
  if [[ $policy == *'"aws:SourceVpc'* && -z $(parameter VpcSubnetIds) ]]; then
    fail "the policy of the bucket $1 asks for a VPC, and the functions are in none" \
      'add: VpcSubnetIds=SUBNET,… VpcSecurityGroupIds=GROUP,…'
  fi
  check_nesting "$1" "$policy"
}

# Prints the policy's JSON, or nothing when there is none.
read_policy() {
  local said
  if said=$(aws s3api get-bucket-policy --bucket "$1" --expected-bucket-owner "$account" --query Policy --output text 2>&1); then
    printf '%s\n' "$said"
  else
    [[ $said == *NoSuchBucketPolicy* ]]
  fi
}

# Another stack's guards hold for everything below its prefix: its bucket policy would refuse this stack's retention.
check_nesting() {
  local other prefix
  prefix=$(parameter Prefix)
  while IFS= read -r other; do
    [[ -n $other && $other != "$prefix" ]] || continue
    if [[ $prefix/ == "$other"/* || $other/ == "$prefix"/* ]]; then
      fail "the prefixes $prefix and $other of the bucket $1 lie within each other: the guards of the one hold for the other" \
        'choose a prefix beside it: Prefix=NAME'
    fi
  done <<< "$(guarded_prefixes "$1" "$2")"
}

# The prefixes of a bucket ($1) that guards of such a stack hold for, by its policy ($2): one a line. What others forbid or allow
# there is theirs.
guarded_prefixes() {
  local statement place ours='"Sid":"Deny(Delete|Overwrite)[A-Za-z0-9]*"'
  while IFS= read -r statement; do
    [[ $statement =~ $ours && $statement == *'"Effect":"Deny"'* ]] || continue
    while [[ $statement == *":::$1/"* ]]; do
      statement=${statement#*":::$1/"}
      place=${statement%%\"*}
      [[ $place == *'/*'* ]] || continue
      place=${place%%/\**}
      [[ $place == *[*?]* ]] || echo "$place"
    done
  done <<< "$(policy_statements "$2")"
}

# A policy's statements, one a line, without blanks: each from its brace to the one that closes it. Without python3 nothing here
# reads JSON; the braces of variables within strings (${aws:username}) come in pairs too.
policy_statements() {
  local rest=${1//[[:space:]]/} statement='' depth=0 piece brace='[{}]'
  rest=${rest#*'"Statement":'}
  while [[ $rest == *$brace* ]] && ((depth >= 0)); do
    # shellcheck disable=SC2295 # It is a pattern.
    piece=${rest%%$brace*}
    rest=${rest#"$piece"}
    if [[ $rest == '{'* ]]; then depth=$((depth + 1)); else depth=$((depth - 1)); fi
    statement+=$piece${rest:0:1}
    rest=${rest:1}
    ((depth == 0)) || continue
    printf '%s\n' "$statement"
    statement=''
  done
}
