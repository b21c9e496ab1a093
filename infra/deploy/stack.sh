# shellcheck shell=bash
# The stack: what is deployed, what would change, and changing it. Sourced by deploy.sh.
# shellcheck disable=SC2154 # Other parts set these.

facts=''

# What is deployed, a line for each fact: its name, a tab, its value. Asked once, and again after a change.
# shellcheck disable=SC2034 # Other parts read `exists`.
read_stack() {
  facts=$(aws cloudformation describe-stacks --stack-name "$stack" --output text --query "Stacks[0].[
    [['status',StackStatus],['protected',to_string(EnableTerminationProtection)],['role',RoleARN]],
    Parameters[].[join('.',['parameter',ParameterKey]),ParameterValue],
    Outputs[].[join('.',['output',OutputKey]),OutputValue]][]" 2> "$work/error") || {
    facts=''
    [[ $(< "$work/error") == *'does not exist'* ]] || fail "the stack $stack cannot be looked at: $(tail -n 1 "$work/error")" \
      'it needs the right cloudformation:DescribeStacks'
  }
  # A stack whose first deployment was not confirmed is a name without resources or parameters.
  exists=yes
  [[ -n $facts && $(fact status) != REVIEW_IN_PROGRESS ]] || exists=no
}

require_stack() {
  [[ $exists == yes ]] || fail "there is no stack $stack in $AWS_DEFAULT_REGION" 'deploy it first, or export AWS_REGION=…'
}

# The value of one fact; its first line, where it has several.
fact() {
  local line
  while IFS= read -r line; do
    [[ $line == "$1"$'\t'* ]] || continue
    line=${line#*$'\t'}
    [[ $line == None ]] || printf '%s\n' "$line"
    return
  done <<< "$facts"
}

# The alarms of a stack that nobody hears are as good as none. Somebody may listen to its topic by other means.
refuse_silence() {
  [[ -z $(parameter Email) && -z $(parameter PagingTopicArn) ]] || return 0
  ! has_heartbeat || return 0
  [[ $exists == no || $silence == yes ]] || ! has_listeners || return 0
  [[ $silence == yes ]] || fail "nobody would hear of a damaged, late or missing backup: $stack has neither Email nor HeartbeatUrl" \
    'add Email=YOU@EXAMPLE.ORG, or HeartbeatUrl=https://…; or --nobody-listens, if you mean it'
  warn 'nobody will hear of a damaged, late or missing backup: neither Email nor HeartbeatUrl is set'
}

# CloudFormation shows asterisks for the URL, set or not: an output says which.
has_heartbeat() {
  if names HeartbeatUrl; then [[ -n $(parameter HeartbeatUrl) ]]; else [[ $(fact output.Heartbeat) == true ]]; fi
}

has_listeners() {
  local count
  count=$(aws sns list-subscriptions-by-topic --topic-arn "$(fact output.AlertsTopicArn)" --output text \
    --query "length(Subscriptions[?SubscriptionArn!='PendingConfirmation' && SubscriptionArn!='Deleted'])" 2> /dev/null) || return
  ((count > 0))
}

deploy() {
  local changes
  changes=$(create_change_set)
  if [[ -z $changes ]]; then
    delete_empty_change_sets
    echo "Nothing to change: $stack is up to date."
    return
  fi
  show "$changes"
  confirm "$changes"
  execute "$changes"
}

# Prints the change set's ARN, or nothing when nothing would change.
create_change_set() {
  local answer options=(--capabilities CAPABILITY_NAMED_IAM --no-execute-changeset --no-fail-on-empty-changeset)
  [[ -z $role ]] || options+=(--role-arn "$role")
  answer=$(aws cloudformation deploy --stack-name "$stack" --template-file "$work/packaged.yaml" --s3-bucket "$artifacts" \
    "${options[@]}" --tags "lastgood=$stack" ${parameters[@]+--parameter-overrides "${parameters[@]}"}) ||
    fail 'CloudFormation refused the change' \
      "if the first deployment failed (ROLLBACK_COMPLETE), run: aws cloudformation delete-stack --stack-name $stack"
  local arn='arn:[^ ]*:changeSet/[^[:space:]]*'
  [[ ! $answer =~ $arn ]] || echo "${BASH_REMATCH[0]}"
}

# A run that would change nothing leaves a change set that failed for it.
delete_empty_change_sets() {
  local empty
  for empty in $(aws cloudformation list-change-sets --stack-name "$stack" --output text --query \
    "Summaries[?starts_with(ChangeSetName,'awscli-cloudformation-package-deploy-') && Status=='FAILED'].ChangeSetId" 2> /dev/null); do
    [[ $empty == None ]] || aws cloudformation delete-change-set --change-set-name "$empty" > /dev/null 2>&1 || true
  done
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
  [[ $answer != yes ]] || return 0
  aws cloudformation delete-change-set --change-set-name "$1" > /dev/null || true
  # Without its change set, a new stack is only a name.
  [[ $exists == yes || -n $facts ]] || aws cloudformation delete-stack --stack-name "$stack" || true
  fail 'not deployed' 'run it again and type yes, or add --yes'
}

execute() {
  local deployed='stack-create-complete'
  [[ $exists == no ]] || deployed='stack-update-complete'
  aws cloudformation execute-change-set --change-set-name "$1"
  aws cloudformation wait "$deployed" --stack-name "$stack" ||
    fail "$stack was not deployed" "see: aws cloudformation describe-stack-events --stack-name $stack"
  [[ $exists == yes ]] || protect
  read_stack
  echo "Deployed $stack."
}

# Only when it is new: whoever takes the protection away has a reason.
protect() {
  aws cloudformation update-termination-protection --enable-termination-protection --stack-name "$stack" > /dev/null ||
    warn "$stack isn't protected from deletion"
}

# Not what only a bucket needs that was there before; a vault's has it by now.
show_outputs() {
  local some="?!starts_with(OutputKey,'ExistingBucket')"
  [[ $(fact parameter.ExistingBucket) != true || -n $(fact parameter.VaultOf) ]] || some=
  # shellcheck disable=SC2016 # The backquotes are JMESPath's: a literal newline.
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Outputs[$some]"'.[join(`"\n"`, [`""`, join(`""`, [Description, `" ("`, OutputKey, `"):"`]), OutputValue])]'
}
