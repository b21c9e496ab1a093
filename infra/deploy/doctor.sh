# shellcheck shell=bash
# Looks a deployed stack over: whether its functions work, who listens, and what differs from the template. It changes nothing;
# the freshness function publishes its metrics, as it does every quarter of an hour. Sourced by deploy.sh.
# shellcheck disable=SC2154 # Other parts set these.

findings=0

check_stack() {
  read_stack
  require_stack
  bucket=$(fact parameter.BucketName)
  echo "Looking over $stack in $AWS_DEFAULT_REGION, account $account:"
  inquire_everything
  judge_stack
  judge_functions
  judge_listeners
  judge_alarms
  judge_starters
  judge_bucket
  judge_lifecycle
  judge_policy
  judge_account
  case $findings in
    0) echo "$stack: all is well." ;;
    1) echo "$stack: 1 finding." ;;
    *) echo "$stack: $findings findings." ;;
  esac
  ((findings == 0))
}

well() { echo "ok: $1"; }

note() { echo "note: $1"; }

finding() {
  printf 'finding: %s\nhint: %s\n' "$1" "$2"
  findings=$((findings + 1))
}

# ===== Questions: asked a few at a time, because each takes the AWS CLI about a second

inquire_everything() {
  local owned=(--bucket "$bucket" --expected-bucket-owner "$account") name
  printf %s '{"action":"measure"}' > "$work/freshness.json"
  printf %s '{"action":"prune","dryRun":true}' > "$work/retention.json"
  # What S3 sends when somebody sets notifications up: it asks nothing of a function but to start.
  printf %s '{"Service":"Amazon S3","Event":"s3:TestEvent"}' > "$work/verify.json"
  asked=0
  for name in verify retention freshness; do
    inquire "$name" lambda invoke --function-name "$stack-$name" --payload "fileb://$work/$name.json" --cli-read-timeout 330 \
      --query FunctionError "$work/$name.answer"
  done
  inquire prove lambda get-function-configuration --function-name "$stack-prove" --query State
  inquire machine stepfunctions describe-state-machine --query status --state-machine-arn \
    "arn:$partition:states:$AWS_DEFAULT_REGION:$account:stateMachine:$stack-parts"
  inquire resources cloudformation describe-stack-resources --stack-name "$stack" \
    --query 'StackResources[].[ResourceType,LogicalResourceId,PhysicalResourceId]'
  inquire listeners sns list-subscriptions-by-topic --topic-arn "$(fact output.AlertsTopicArn)" \
    --query 'Subscriptions[].[SubscriptionArn,Protocol,Endpoint]'
  # Without the types, only metric alarms come.
  inquire alarms cloudwatch describe-alarms --alarm-name-prefix "$stack-" --alarm-types MetricAlarm CompositeAlarm \
    --query '[MetricAlarms,CompositeAlarms][][].[AlarmName,to_string(ActionsEnabled),StateValue]'
  inquire rules events list-rules --query 'Rules[].[Name,State]'
  inquire schedules scheduler list-schedules --query 'Schedules[].[Name,State]'
  inquire queues lambda list-event-source-mappings --query 'EventSourceMappings[].[UUID,State]'
  inquire limit lambda get-account-settings --query AccountLimit.ConcurrentExecutions
  inquire region s3api get-bucket-location "${owned[@]}" --query LocationConstraint
  inquire versioning s3api get-bucket-versioning "${owned[@]}" --query Status
  inquire access s3api get-public-access-block "${owned[@]}" --query \
    'PublicAccessBlockConfiguration.[BlockPublicAcls,IgnorePublicAcls,BlockPublicPolicy,RestrictPublicBuckets]'
  inquire events s3api get-bucket-notification-configuration "${owned[@]}" --query 'to_string(EventBridgeConfiguration)'
  inquire lock s3api get-object-lock-configuration "${owned[@]}" --query \
    'ObjectLockConfiguration.Rule.DefaultRetention.[Mode,to_string(Days)]'
  inquire lifecycle s3api get-bucket-lifecycle-configuration "${owned[@]}" --query \
    'Rules[].[ID,Status,to_string(Expiration.Days || Expiration.Date),Filter.Prefix || Filter.And.Prefix || Prefix]'
  inquire policy s3api get-bucket-policy "${owned[@]}" --query Policy
  if [[ -n $(fact parameter.ReplicateTo) ]]; then
    inquire replication s3api get-bucket-replication "${owned[@]}" --query \
      'ReplicationConfiguration.Rules[].[Status,Filter.Prefix || Prefix,Destination.Bucket]'
  fi
  wait
}

# $1 its name, the rest the question.
inquire() {
  local name=$1
  shift
  (aws "$@" --output text > "$work/$name.out" 2> "$work/$name.err" || echo failed > "$work/$name.failed") &
  asked=$((asked + 1))
  ((asked % 4)) || wait
}

# Prints an answer; none is a finding, unless the error has the word $2: then nothing is set there.
answer() {
  [[ -e $work/$1.failed ]] || { cat "$work/$1.out" && return; }
  local said
  said=$(tail -n 1 "$work/$1.err")
  [[ -n ${2-} && $said == *"$2"* ]]
}

could_not_ask() {
  finding "$1 cannot be read: $(tail -n 1 "$work/$2.err")" 'run it with an administrator'\''s credentials'
}

# The names that AWS gave to the stack's resources of one type.
resources_of() {
  local type logical physical
  while IFS=$'\t' read -r type logical physical; do
    [[ $type != "$1" ]] || echo "$physical"
  done < "$work/resources.out"
}

physical() {
  local type logical physical
  while IFS=$'\t' read -r type logical physical; do
    [[ $logical != "$1" ]] || echo "$physical"
  done < "$work/resources.out"
}

# ===== What works

judge_stack() {
  local status
  status=$(fact status)
  case $status in
    CREATE_COMPLETE | UPDATE_COMPLETE) well "the stack is deployed ($status)" ;;
    UPDATE_ROLLBACK_COMPLETE)
      finding 'the last change failed and was taken back' "see why: aws cloudformation describe-stack-events --stack-name $stack"
      ;;
    *) finding "the stack is $status" "wait for its end, or see: aws cloudformation describe-stack-events --stack-name $stack" ;;
  esac
  [[ $(fact protected) == true ]] || note "the stack is not protected from deletion; its bucket would stay. To protect it:
      aws cloudformation update-termination-protection --enable-termination-protection --stack-name $stack"
  [[ ! -e $work/resources.failed ]] || could_not_ask "the stack's resources" resources
}

judge_functions() {
  judge_function verify 'verify starts'
  judge_function retention 'retention lists and plans (a dry run: nothing was removed)'
  judge_function freshness 'freshness measures and publishes'
  judge_parts
}

# Without them a large archive is read in one piece, which takes hours. A stack of an earlier release has none.
judge_parts() {
  [[ -n $(physical Parts) ]] || return 0
  local name what before=$findings
  for name in prove machine; do
    what="what reads large archives in parts ($stack-${name/machine/parts})"
    if ! answer "$name" > "$work/state"; then could_not_ask "$what" "$name"
    elif [[ $(< "$work/state") != [Aa][Cc][Tt][Ii][Vv][Ee] ]]; then
      finding "$what is $(< "$work/state")" "see the difference: aws cloudformation detect-stack-drift --stack-name $stack"
    fi
  done
  ((findings > before)) || well 'large archives are read in parts'
}

judge_function() {
  local error
  if ! error=$(answer "$1"); then
    finding "$1 cannot be invoked: $(tail -n 1 "$work/$1.err")" "see: aws lambda get-function --function-name $stack-$1"
  elif [[ $error == None || -z $error ]]; then
    well "$2"
  else
    finding "$1 fails: $(error_message "$1")" \
      "its log says more: aws logs filter-log-events --log-group-name /aws/lambda/$stack-$1 --filter-pattern ERROR"
  fi
}

error_message() {
  local text message='"errorMessage": ?"(([^"\\]|\\.)*)"'
  text=$(< "$work/$1.answer")
  [[ ! $text =~ $message ]] || text=${BASH_REMATCH[1]}
  echo "$text"
}

# ===== Who listens

judge_listeners() {
  local arn protocol endpoint confirmed=0 pending=0 email
  email=$(fact parameter.Email)
  answer listeners > /dev/null || { could_not_ask 'who listens' listeners && return; }
  while IFS=$'\t' read -r arn protocol endpoint; do
    case $arn in
      '' | None | Deleted) continue ;;
      *[Pp]ending*[Cc]onfirmation*)
        pending=$((pending + 1))
        finding "$endpoint has not confirmed: nobody gets alarms and messages there until the mail from AWS is confirmed" \
          "open the mail \"AWS Notification - Subscription Confirmation\" and follow its link; to get it again: $(subscribe "$endpoint")"
        ;;
      *) confirmed=$((confirmed + 1)) && well "alarms and messages go to $endpoint ($protocol)" ;;
    esac
    [[ $endpoint != "$email" ]] || email=''
  done < "$work/listeners.out"
  [[ -z $email ]] ||
    finding "$email is the stack's Email, but is not subscribed any more: nobody gets alarms there" "$(subscribe "$email")"
  if has_heartbeat; then
    well 'the heartbeat URL is called when all is well: what is behind it rings when it is silent'
  elif ((confirmed + pending == 0)) && [[ -z $(fact parameter.Email)$(fact parameter.PagingTopicArn) ]]; then
    finding 'nobody listens: no alarm and no message reaches anybody' "$self $stack Email=YOU@EXAMPLE.ORG"
  fi
}

subscribe() {
  echo "aws sns subscribe --topic-arn $(fact output.AlertsTopicArn) --protocol email --notification-endpoint $1"
}

judge_alarms() {
  local name actions state known=$'\n' silent=0 ringing=''
  answer alarms > /dev/null || { could_not_ask 'the alarms' alarms && return; }
  while IFS=$'\t' read -r name actions state; do
    known+=$name$'\n'
    [[ $state != ALARM ]] || ringing+="${ringing:+, }$name"
    [[ $actions == false ]] || continue
    silent=$((silent + 1))
    finding "the alarm $name tells nobody: its actions are off" "aws cloudwatch enable-alarm-actions --alarm-names $name"
  done < "$work/alarms.out"
  for name in $(resources_of AWS::CloudWatch::Alarm) $(resources_of AWS::CloudWatch::CompositeAlarm); do
    # A composite alarm is known by its ARN.
    name=${name##*:alarm:}
    [[ $known == *$'\n'"$name"$'\n'* ]] || {
      silent=$((silent + 1))
      finding "the alarm $name is gone" "see the difference: aws cloudformation detect-stack-drift --stack-name $stack"
    }
  done
  ((silent)) || [[ -e $work/resources.failed ]] || well 'all alarms are there and tell somebody'
  [[ -z $ringing ]] || note "these alarms are on: $ringing"
}

# ===== What starts the functions

judge_starters() {
  local before=$findings
  judge_switch rules AWS::Events::Rule 'aws events enable-rule --name'
  judge_switch schedules AWS::Scheduler::Schedule 'set it to ENABLED: aws scheduler get-schedule --name'
  judge_queues
  ((findings > before)) || [[ -e $work/resources.failed ]] || well 'rules, queues and schedules are on'
}

# What takes from a queue and starts a function is known by its UUID alone; so the template's name is told.
judge_queues() {
  local type logical uuid state known=$'\n'
  answer queues > /dev/null || { could_not_ask 'the queues that start functions' queues && return; }
  while IFS=$'\t' read -r uuid state; do known+=$uuid=$state$'\n'; done < "$work/queues.out"
  while IFS=$'\t' read -r type logical uuid; do
    [[ $type == AWS::Lambda::EventSourceMapping ]] || continue
    state=${known#*$'\n'"$uuid="}
    [[ $state != "$known" ]] || state=Deleted
    case ${state%%$'\n'*} in
      Disabl*) finding "$logical is off: it starts nothing" "aws lambda update-event-source-mapping --enabled --uuid $uuid" ;;
      Delet*) finding "$logical is gone: it starts nothing" "see the difference: aws cloudformation detect-stack-drift --stack-name $stack" ;;
    esac
  done < "$work/resources.out"
}

# $1 answer, $2 type, $3 what turns it on
judge_switch() {
  local name state known=$'\n'
  answer "$1" > /dev/null || { could_not_ask "the $1" "$1" && return; }
  while IFS=$'\t' read -r name state; do known+=$name=$state$'\n'; done < "$work/$1.out"
  for name in $(resources_of "$2"); do
    name=${name##*|}
    case $known in
      *$'\n'"$name=ENABLED"$'\n'*) ;;
      *$'\n'"$name="*) finding "$name is off: it starts nothing" "$3 $name" ;;
      *) finding "$name is gone: it starts nothing" "see the difference: aws cloudformation detect-stack-drift --stack-name $stack" ;;
    esac
  done
}

judge_account() {
  local limit
  limit=$(answer limit) || { could_not_ask "the account's limits" limit && return; }
  if ((limit < 50)); then
    note "this account runs at most $limit functions at once; for many databases ask for more: Service Quotas, AWS Lambda, Concurrent executions"
  else
    well "the account runs up to $limit functions at once"
  fi
}
