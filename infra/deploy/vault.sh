# shellcheck shell=bash
# A second account's copies. Here is what lies around the two stacks of a vault: STACK-bucket (vault.yaml) has the bucket and its key,
# and outlives STACK, whose functions prove what comes and whose policy guards it. And what the first account needs to fill it. Sourced
# by deploy.sh.
# shellcheck disable=SC2154 # Other parts set these.

# Nobody ends a vault's lock early, and there is no vault without one.
lock_the_vault() {
  local of mode days before
  of=$(parameter VaultOf) before=$(fact parameter.VaultOf)
  [[ $exists == no || $of == "$before" ]] || refuse_other_role "$of" "$before"
  [[ -n $of ]] || return 0
  if [[ $exists == no ]]; then
    names ObjectLockDays || parameters+=(ObjectLockDays=30)
    names ObjectLockMode || parameters+=(ObjectLockMode=COMPLIANCE)
  fi
  days=$(parameter ObjectLockDays) mode=$(parameter ObjectLockMode)
  [[ $mode == COMPLIANCE && $days != 0 ]] ||
    fail "a vault without a lock that nobody can end is none (ObjectLockMode=$mode, ObjectLockDays=$days)" \
      'leave both out: the lock is COMPLIANCE, for 30 days; or choose other ObjectLockDays' 2
}

# What would leave a vault empty, or emptier than it seems.
refuse_half_a_vault() {
  local to
  to=$(parameter ReplicateTo)
  [[ -n $to || -z $(parameter ReplicateToAccount)$(parameter ReplicateToKmsKeyArn) ]] ||
    fail 'ReplicateToAccount and ReplicateToKmsKeyArn need ReplicateTo, the bucket of the vault' 'add: ReplicateTo=BUCKET' 2
  [[ -z $to || -n $(parameter ReplicateToAccount) ]] ||
    fail "ReplicateTo=$to needs the account that has that bucket" 'add: ReplicateToAccount=NUMBER' 2
  [[ -z $to || -z $(parameter KmsKeyArn) || -n $(parameter ReplicateToKmsKeyArn) ]] ||
    fail 'what KmsKeyArn encrypts is replicated only with the key of the vault' "add: ReplicateToKmsKeyArn=ARN, which the vault's stack shows" 2
  [[ -z $to || -z $(parameter VaultOf) ]] ||
    fail 'a vault is filled, and fills no other: ReplicateTo and VaultOf are for two stacks in two accounts' 'leave one of them out' 2
  local name=$stack-$AWS_DEFAULT_REGION-replication
  [[ -z $to || ${#name} -le 64 ]] ||
    fail "the role $name would have ${#name} characters, and IAM takes 64" 'replicate from a stack with a shorter name' 2
  [[ -z $to || $(parameter ReplicateToAccount) != "$account" ]] ||
    warn "the vault $to is in this account, $account: whoever rules it can empty both"
  [[ -z $to || $(parameter ObjectLockDays) == 0 ]] || ! names ReplicateTo ||
    echo "Note: a copy gets the lock that the object has here ($(parameter ObjectLockMode), $(parameter ObjectLockDays) days), and the vault's own only where there is none."
}

# The bucket first: the other stack's policy guards it, and nothing is admitted before.
make_vault() {
  [[ -n $(parameter VaultOf) ]] || return 0
  [[ $(parameter VaultOf) != "arn:$partition:iam::$account:"* ]] ||
    warn "the role of VaultOf is of this account, $account: whoever rules it can empty both"
  names BucketName || [[ $exists == yes ]] || parameters+=("BucketName=$(default_bucket)")
  choose_artifacts
  # Plainly: behind || or && a failure within it would pass for success.
  (deploy_vault_bucket)
  [[ $exists == no ]] || return 0
  local key
  key=$(aws cloudformation describe-stacks --stack-name "$stack-bucket" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='KmsKeyArn'].OutputValue | [0]") || fail "the stack $stack-bucket cannot be looked at" 'see above'
  names KmsKeyArn || parameters+=("KmsKeyArn=$key")
  names ExistingBucket || parameters+=(ExistingBucket=true)
}

# Its verdicts bear an account's number, or they don't; and its bucket and key admit one role.
refuse_other_role() {
  [[ -n $2 ]] || fail "$stack is no vault: its verdicts bear no account's number" \
    'make the vault as a stack of its own, in another account' 2
  fail "$stack is the vault of $2, and stays it: without that, verdicts that came with the copies would count" \
    "leave VaultOf out, or name $2" 2
}

# In a subshell, because all that is known here is of the other stack.
deploy_vault_bucket() {
  local name known all=(${parameters[@]+"${parameters[@]}"})
  template=${template%/*}/vault.yaml
  known=$(template_parameters)
  parameters=()
  for name in ${all[@]+"${all[@]}"}; do
    [[ $'\n'$known$'\n' != *$'\n'"${name%%=*}"$'\n'* ]] || parameters+=("$name")
  done
  stack+=-bucket
  read_stack
  cp "$template" "$work/packaged.yaml"
  deploy
}

# What the first account says to fill it.
show_vault() {
  local of named=STACK role='/([^/]+)-[a-z]{2}(-[a-z]+)+-[0-9]+-replication$'
  of=$(fact parameter.VaultOf)
  [[ -n $of ]] || return 0
  [[ ! $of =~ $role ]] || named=${BASH_REMATCH[1]}
  local keys
  keys=$(fact parameter.KmsKeyArn)
  printf '\n%s\n' "To fill this vault, in the account $(printf %s "$of" | cut -d: -f5), whose stack has Prefix=$(fact parameter.Prefix) too:"
  echo "infra/deploy.sh $named ReplicateTo=$(fact parameter.BucketName) ReplicateToAccount=$account ReplicateToKmsKeyArn=${keys%%,*}"
}
