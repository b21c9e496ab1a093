# shellcheck shell=bash
# What guards the backups in the bucket, and whether it is still there: the doctor's second half. Sourced by deploy.sh.
# shellcheck disable=SC2154 # Other parts set these.

judge_bucket() {
  local region answer
  if region=$(answer region); then
    case $region in None | '') region=us-east-1 ;; EU) region=eu-west-1 ;; esac
    [[ $region == "$AWS_DEFAULT_REGION" ]] || finding "the bucket $bucket lies in $region: its events never arrive here" \
      "deploy the stack there: AWS_REGION=$region infra/deploy.sh …"
  else
    could_not_ask "the bucket $bucket" region
    return 0
  fi
  if ! answer=$(answer versioning); then could_not_ask 'its versioning' versioning
  elif [[ $answer == Enabled ]]; then well "$bucket keeps versions"
  else finding "$bucket keeps no versions: what is deleted or replaced there is gone at once" \
    "$(as_admin)aws s3api put-bucket-versioning --bucket $bucket --versioning-configuration Status=Enabled"; fi
  if ! answer=$(answer access NoSuchPublicAccessBlockConfiguration); then could_not_ask 'its public access block' access
  elif [[ $answer == True$'\t'True$'\t'True$'\t'True ]]; then well "$bucket is closed to the public"
  else finding "$bucket may be opened to the public" "aws s3api put-public-access-block --bucket $bucket \
--public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"; fi
  if ! answer=$(answer events); then could_not_ask 'its events' events
  elif [[ $answer != null ]]; then well "$bucket sends its events: backups are verified when they arrive"
  else finding "$bucket sends no events to EventBridge: only the daily sweep verifies backups" "$(to_connect)"; fi
  judge_lock
}

# A stack of an earlier release doesn't say what its bucket needs before it is updated.
to_connect() {
  [[ -n $(fact output.ExistingBucketPolicy) ]] || printf 'update the stack first (%s %s), then: ' "$self" "$stack"
  echo "$self --connect $stack"
}

# The guards of the bucket leave its settings to AdminArns alone.
as_admin() {
  [[ $(< "$work/policy.out") != *DenyChangedGuards* ]] ||
    echo "as somebody in AdminArns ($self $stack AdminArns=YOUR_ARN names you): "
}

judge_lock() {
  local days lock
  days=$(fact parameter.ObjectLockDays)
  if ! lock=$(answer lock ObjectLockConfigurationNotFound); then
    could_not_ask 'its lock' lock
  elif [[ -z $lock || $lock == None ]]; then
    [[ ${days:-0} == 0 || $(fact parameter.ExistingBucket) == true ]] ||
      finding "$bucket has no lock, and ObjectLockDays is $days" "see the difference: aws cloudformation detect-stack-drift --stack-name $stack"
  else
    well "$bucket locks new versions: ${lock//$'\t'/, } days"
  fi
  [[ -z $(fact parameter.VaultOf) || $lock == COMPLIANCE$'\t'$days ]] ||
    finding "the vault $bucket has no lock of $days days that nobody can end" "deploy it again: $self $stack ObjectLockDays=$days"
  judge_replication
}

# What another account's copies hang on. Whether each object went there, only the vault's own freshness tells.
judge_replication() {
  local to status prefix there
  to=$(fact parameter.ReplicateTo)
  [[ -n $to ]] || return 0
  answer replication ReplicationConfigurationNotFound > /dev/null || { could_not_ask 'its replication' replication && return; }
  while IFS=$'\t' read -r status prefix there; do
    if [[ $status == Enabled && $there == *":::$to" && $prefix == "$(fact parameter.Prefix)/" ]]; then
      well "$bucket is replicated to $to"
      return
    fi
  done < "$work/replication.out"
  if [[ $(fact parameter.ExistingBucket) == true ]]; then
    finding "nothing is replicated from $bucket to $to" \
      "$(as_admin)aws s3api put-bucket-replication --bucket $bucket --replication-configuration, with the output ExistingBucketReplication"
  else
    finding "nothing is replicated from $bucket to $to" \
      "see the difference: aws cloudformation detect-stack-drift --stack-name $stack"
  fi
}

# Nothing may remove current versions by age: the last good backup would go. In a bucket of the stack's own its rules must be on.
judge_lifecycle() {
  local id status age place on=$'\n' before=$findings
  answer lifecycle NoSuchLifecycleConfiguration > /dev/null || { could_not_ask 'its lifecycle' lifecycle && return; }
  while IFS=$'\t' read -r id status age place; do
    [[ $status == Enabled ]] || continue
    on+=$id$'\n'
    [[ $age == null || -z $age ]] || ! holds_backups "$place" || finding "the lifecycle rule $id removes current objects by age ($age), backups too" \
      "look at it: aws s3api get-bucket-lifecycle-configuration --bucket $bucket"
  done < "$work/lifecycle.out"
  if [[ $(fact parameter.ExistingBucket) != true ]]; then
    for id in abort-incomplete-uploads expire-noncurrent-versions archives-to-glacier; do
      [[ $id != archives-to-glacier || $(fact parameter.GlacierDays) != 0 ]] || continue
      [[ $on == *$'\n'"$id"$'\n'* ]] || finding "the lifecycle rule $id is off or gone" \
        "see the difference: aws cloudformation detect-stack-drift --stack-name $stack"
    done
  fi
  ((findings > before)) || well "$bucket's lifecycle rules remove no backup by age"
}

# Whether what begins with $1 may be one of the stack's backups; None is a rule for the whole bucket.
holds_backups() {
  local place=$1 prefix
  prefix=$(fact parameter.Prefix)/
  [[ $place != None ]] || place=''
  [[ $prefix == "$place"* || $place == "$prefix"* ]]
}

judge_policy() {
  local policy role changes before=$findings
  if ! policy=$(answer policy NoSuchBucketPolicy); then
    could_not_ask 'its policy' policy
    return 0
  fi
  role=$(physical RetentionRole)
  if [[ -n $role && $policy == *DenyDelete* && $policy != *"/$role\""* ]]; then
    finding "the policy of $bucket doesn't let this stack's retention delete" "$(to_connect)"
  fi
  if command -v python3 > /dev/null && [[ -n $(fact output.ExistingBucketPolicy) ]]; then
    printf '%s\n' "$policy" > "$work/policy.present"
    fact output.ExistingBucketPolicy > "$work/policy.wanted"
    changes=$(python3 "$here/deploy/connect.py" policy "$work/policy.present" "$work/policy.wanted" "$work/policy.merged" "$stack") || changes='?'
    [[ -z $changes ]] || finding "the policy of $bucket differs from the stack's:"$'\n'"$changes" "$(to_connect)"
  else
    judge_sids "$policy"
  fi
  ((findings > before)) || well "$bucket has the stack's policy"
}

# Without python3: only the names of the statements.
judge_sids() {
  local line inside=no sid named='Sid: ([A-Za-z]+)'
  while IFS= read -r line; do
    case $line in
      '  BucketPolicy:') inside=yes ;;
      '  '[A-Z]*) inside=no ;;
    esac
    [[ $inside == yes && $line =~ $named ]] || continue
    sid=${BASH_REMATCH[1]}
    [[ $sid != DenyChangedPolicy || -n $(fact parameter.AdminArns) ]] || continue
    [[ $sid != *Replica* || -n $(fact parameter.VaultOf) ]] || continue
    [[ $1 == *"\"$sid"* ]] || finding "the policy of $bucket lacks $sid" "$(to_connect)"
  done < "$template"
}
