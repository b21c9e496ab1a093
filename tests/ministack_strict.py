#!/usr/bin/env python3
"""Starts MiniStack with what it leaves out of AWS, so that a test fails here where the thing would fail there.

Takes MiniStack's own environment (GATEWAY_PORT, AUTH …) and one variable more: PRETEND_TLS=1 makes aws:SecureTransport
true, for policies that refuse plain HTTP. It reaches into the insides of the version pinned in tests/requirements.txt,
and refuses to start with another. Each mend below names the lie that it takes away.
"""

import contextvars
import gzip
import importlib.metadata
import json
import os
import re
import sys
import time
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

TRIED_VERSION = "1.5.33"


def main():
    version = importlib.metadata.version("ministack")
    if version != TRIED_VERSION:
        sys.exit(f"error: mends for MiniStack {TRIED_VERSION} don't fit {version}\nhint: make tools")
    mend_s3_conditions()
    mend_metric_rights()
    mend_principals_and_transport()
    mend_stack_properties()
    mend_replication()
    mend_event_versions()
    mend_event_retries()
    mend_queue_sources()
    mend_queue_races()
    mend_queue_rights()
    mend_multipart_checksums()
    mend_copied_parts()
    mend_ranges_of_versions()
    mend_bucket_owners()
    mend_confirmations()
    mend_stacks_of_resources()
    from ministack.app import main as serve

    return serve()


def mend_s3_conditions():
    """s3:if-none-match, s3:if-match and s3:ObjectCreationOperation are unknown: a policy that demands them denies all."""
    import ministack.core.iam_actions as actions

    original = actions.s3_service_context

    def with_write_conditions(iam_action, query_params, path="", headers=None):
        context = dict(original(iam_action, query_params, path, headers))
        if iam_action == "s3:PutObject":
            for name, value in (headers or {}).items():
                if name.lower() in ("if-none-match", "if-match"):
                    context["s3:" + name.lower()] = value
            query = query_params or {}
            starts_or_carries_a_part = "uploads" in query or "partNumber" in query
            context["s3:ObjectCreationOperation"] = "false" if starts_or_carries_a_part else "true"
        return context

    actions.s3_service_context = with_write_conditions


def mend_metric_rights():
    """The Rust SDK speaks CBOR to CloudWatch: those calls aren't authorised, and cloudwatch:namespace is unknown."""
    import ministack.core.iam_actions as actions

    original_action, original_arn = actions.extract_iam_action, actions.extract_resource_arn
    original_context = actions.request_tag_context

    def action_of_cbor_calls_too(service, method, path, headers, body, query_params):
        operation = re.search(r"/service/[^/]+/operation/([A-Za-z]+)", path)
        namespace = actions.SERVICE_TO_IAM_NAMESPACE.get(service)
        if operation and namespace:
            return f"{namespace}:{operation[1]}"
        return original_action(service, method, path, headers, body, query_params)

    def any_resource_of_cbor_calls(*arguments, **named):
        try:
            return original_arn(*arguments, **named)
        except UnicodeDecodeError:
            return "*"

    def with_metric_namespace(service, iam_action, body, params):
        context = dict(original_context(service, iam_action, body, params))
        if iam_action == "cloudwatch:PutMetricData":
            context["cloudwatch:namespace"] = metric_namespace(body or b"")
        return context

    actions.extract_iam_action = action_of_cbor_calls_too
    actions.extract_resource_arn = any_resource_of_cbor_calls
    actions.request_tag_context = with_metric_namespace


def metric_namespace(body):
    """The Namespace of a PutMetricData in any of its three protocols, compressed or not."""
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    if body.startswith(b"{"):
        return json.loads(body)["Namespace"]
    if b"Namespace=" in body:
        return parse_qs(body.decode())["Namespace"][0]
    import cbor2

    return cbor2.loads(body)["Namespace"]


def mend_principals_and_transport():
    """aws:PrincipalArn of an assumed role is its session's, not the role's; there is no TLS to be demanded."""
    import ministack.core.iam_evaluator as evaluator

    original = evaluator._resolve_condition_key

    def resolve(key, context):
        if key.lower() == "aws:securetransport" and os.environ.get("PRETEND_TLS"):
            return "true"
        value = original(key, context)
        if key.lower() == "aws:principalarn" and isinstance(value, str):
            return re.sub(r"^arn:aws:sts::(\d+):assumed-role/([^/]+)/.*", r"arn:aws:iam::\1:role/\2", value)
        return value

    evaluator._resolve_condition_key = resolve


def mend_stack_properties():
    """CloudFormation drops a bucket's lifecycle, lock and encryption and a function's DeadLetterConfig, and refuses composite alarms."""
    from ministack.services import cloudwatch
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    after_create_and_update(handlers["AWS::S3::Bucket"], apply_lifecycle)
    after_create_and_update(handlers["AWS::S3::Bucket"], apply_lock_and_encryption)
    after_create_and_update(handlers["AWS::Lambda::Function"], apply_dead_letters)

    def put(name, properties):
        status, _, body = cloudwatch._put_composite_alarm({}, {**properties, "AlarmName": name}, True)
        if status >= 400:
            raise ValueError(body)
        return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}

    def name_of(logical_id, properties, stack):
        return properties.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=255)

    handlers["AWS::CloudWatch::CompositeAlarm"] = {
        "create": lambda logical_id, properties, stack: put(name_of(logical_id, properties, stack), properties),
        "update": lambda name, old, new, stack: put(name, new),
        "delete": lambda name, properties: cloudwatch._composite_alarms.pop(name, None),
    }


def after_create_and_update(handler, apply):
    """Has `apply(physical name, properties)` follow a resource's own two steps."""
    for step, properties_at, properties_name in (("create", 1, "props"), ("update", 2, "new_props")):

        def wrapped(*arguments, _original=handler[step], _at=properties_at, _name=properties_name, **named):
            result = _original(*arguments, **named)
            apply(result[0], arguments[_at] if len(arguments) > _at else named[_name])
            return result

        handler[step] = wrapped


def apply_lifecycle(bucket, properties):
    from ministack.services import s3

    configuration = properties.get("LifecycleConfiguration")
    if not configuration:
        s3._bucket_lifecycle.pop(bucket, None)
        return
    rules = as_xml("Rule", [lifecycle_rule(rule) for rule in configuration["Rules"]])
    document = f'<LifecycleConfiguration xmlns="{s3.S3_NS}">{rules}</LifecycleConfiguration>'
    status, _, body = s3._put_bucket_lifecycle(bucket, document.encode())
    if status >= 400:
        raise ValueError(f"LifecycleConfiguration: {body!r}")


def apply_lock_and_encryption(bucket, properties):
    from ministack.services import s3

    def put(what, apply, document):
        status, _, body = apply(bucket, document.encode())
        if status >= 400:
            raise ValueError(f"{what}: {body!r}")

    lock = properties.get("ObjectLockConfiguration")
    if lock:
        document = f'<ObjectLockConfiguration xmlns="{s3.S3_NS}">{as_xml("ObjectLockEnabled", "Enabled")}{as_xml("Rule", lock["Rule"])}'
        put("ObjectLockConfiguration", s3._put_object_lock_configuration, f"{document}</ObjectLockConfiguration>")
    encryption = properties.get("BucketEncryption")
    if encryption:
        named = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
        rules = [
            {named.get(name, name): value for name, value in rule.items()} for rule in encryption["ServerSideEncryptionConfiguration"]
        ]
        document = f'<ServerSideEncryptionConfiguration xmlns="{s3.S3_NS}">{as_xml("Rule", rules)}'
        put("BucketEncryption", s3._put_bucket_encryption, f"{document}</ServerSideEncryptionConfiguration>")


def lifecycle_rule(rule):
    """One rule of CloudFormation's form in that of S3's API."""
    conditions = {name: rule[name] for name in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan") if name in rule}
    translated = {"ID": rule.get("Id", ""), "Status": rule["Status"]}
    translated["Filter"] = {"And": conditions} if len(conditions) > 1 else conditions or {"Prefix": ""}
    if "ExpirationInDays" in rule:
        translated["Expiration"] = {"Days": rule["ExpirationInDays"]}
    elif "ExpiredObjectDeleteMarker" in rule:
        translated["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    if "Transitions" in rule:
        translated["Transition"] = [
            {"Days": transition["TransitionInDays"], "StorageClass": transition["StorageClass"]}
            for transition in rule["Transitions"]
        ]
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            translated[name] = rule[name]
    return translated


def as_xml(tag, value):
    if isinstance(value, list):
        return "".join(as_xml(tag, item) for item in value)
    if isinstance(value, dict):
        return f"<{tag}>" + "".join(as_xml(name, item) for name, item in value.items()) + f"</{tag}>"
    text = str(value).lower() if isinstance(value, bool) else escape(str(value))
    return f"<{tag}>{text}</{tag}>"


def apply_dead_letters(function, properties):
    from ministack.services import lambda_svc

    configuration = lambda_svc._functions[function]["config"]
    if properties.get("DeadLetterConfig"):
        configuration["DeadLetterConfig"] = properties["DeadLetterConfig"]
    else:
        configuration.pop("DeadLetterConfig", None)


def mend_replication():
    """CloudFormation drops a bucket's ReplicationConfiguration, and a replica's arrival is no event."""
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    after_create_and_update(provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"], apply_replication)
    original = s3._maybe_replicate

    def replicate(bucket, key, stored, data, tags=None):
        stored.pop("_replica", None)
        original(bucket, key, stored, data, tags)
        if stored.get("_replica"):
            there, version, account = stored["_replica"]
            with s3._in_account(account):
                s3._fire_s3_event_async(there, key, "s3:ObjectCreated:Put", stored["size"], stored["etag"], version_id=version)

    s3._maybe_replicate = replicate


def apply_replication(bucket, properties):
    from ministack.services import s3

    configuration = properties.get("ReplicationConfiguration")
    if not configuration:
        s3._bucket_replication.pop(bucket, None)
        return
    rules = as_xml("Rule", [{("ID" if name == "Id" else name): value for name, value in rule.items()} for rule in configuration["Rules"]])
    document = f'<ReplicationConfiguration xmlns="{s3.S3_NS}"><Role>{configuration["Role"]}</Role>{rules}</ReplicationConfiguration>'
    status, _, body = s3._put_bucket_replication(bucket, document.encode())
    if status >= 400:
        raise ValueError(f"ReplicationConfiguration: {body!r}")


def mend_event_versions():
    """S3's events through EventBridge lack the object's version-id."""
    from ministack.services import eventbridge, s3

    version = contextvars.ContextVar("version of the object that the event is about", default=None)
    original_fire, original_dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire(*arguments, **named):
        token = version.set(named.get("version_id"))
        try:
            return original_fire(*arguments, **named)
        finally:
            version.reset(token)

    def dispatch(event, *arguments, **named):
        if event.get("Source") == "aws.s3" and version.get():
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version.get()
            event["Detail"] = json.dumps(detail)
        return original_dispatch(event, *arguments, **named)

    s3._fire_s3_event, eventbridge._dispatch_event = fire, dispatch


def mend_event_retries():
    """A function that fails on an EventBridge event is tried once, and its OnFailure destination hears nothing."""
    from ministack.services import eventbridge, lambda_svc

    def dispatch_to_lambda(arn, payload):
        function, configuration, name = lambda_svc._get_func_record_for_ref(arn)
        if not function or not configuration:
            print(f"EventBridge: no function {name}", file=sys.stderr)
            return
        record = lambda_svc._execution_record_for_config(function, configuration)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))

    eventbridge._dispatch_to_lambda = dispatch_to_lambda


def mend_queue_sources():
    """A queue wakes its function at once and with ten messages at most, whatever window and batch size are set; and a
    concurrency that CloudFormation hands over as text stops every queue."""
    from ministack.services import lambda_svc, sqs

    original_concurrency = lambda_svc._sqs_esm_concurrency
    most_bytes, bytes_beside_the_body = 6_000_000, 700

    def concurrency(mapping, *arguments, **named):
        scaling = mapping.get("ScalingConfig") or {}
        if scaling.get("MaximumConcurrency"):
            limit = int(scaling["MaximumConcurrency"])
            if not 2 <= limit <= 1000:
                raise ValueError(f"MaximumConcurrency {limit}")
            mapping["ScalingConfig"] = {"MaximumConcurrency": limit}
        return original_concurrency(mapping, *arguments, **named)

    def window_of(queue):
        arn = queue["attributes"].get("QueueArn")
        mappings = [mapping for _, _, mapping in lambda_svc._iter_all_esms() if mapping.get("EventSourceArn") == arn]
        return max((int(mapping.get("MaximumBatchingWindowInSeconds") or 0) for mapping in mappings), default=0)

    def receive(queue_url, most):
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            now = time.time()
            waiting = [message for message in queue["messages"] if message["visible_at"] <= now]
            sizes = [len(message["body"].encode()) + bytes_beside_the_body for message in waiting]
            is_full = len(waiting) >= most or sum(sizes) > most_bytes
            window = window_of(queue)
            if window and not is_full and waiting and now - min(m["visible_at"] for m in waiting) < window:
                return []
            while sum(sizes[:most]) > most_bytes:
                most = min(most, len(sizes)) - 1
            return sqs._collect_msgs(queue, most, int(queue["attributes"].get("VisibilityTimeout", "30")))

    lambda_svc._sqs_esm_concurrency, sqs._receive_messages_for_esm = concurrency, receive


def mend_queue_races():
    """A message that arrives or is deleted while the functions' thread deletes others is lost, or stays."""
    from ministack.services import eventbridge, sqs

    def locked(original):
        def under_lock(*arguments, **named):
            with sqs._queues_lock:
                return original(*arguments, **named)

        return under_lock

    writers = ["SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch"]
    for action in writers + ["ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "PurgeQueue"]:
        sqs._HANDLERS[action] = locked(sqs._HANDLERS[action])
    eventbridge._dispatch_to_sqs = locked(eventbridge._dispatch_to_sqs)


def mend_queue_rights():
    """A rule may send to any queue, whatever the queue's policy says; and a batch asks for a right that AWS doesn't have."""
    import ministack.core.iam_actions as actions
    from ministack.services import eventbridge, sqs

    original_invoke, original_action = eventbridge._invoke_target, actions.extract_iam_action

    def action_of_batches_too(*arguments, **named):
        action = original_action(*arguments, **named)
        is_batch = isinstance(action, str) and action.startswith("sqs:") and action.endswith("Batch")
        return action.removesuffix("Batch") if is_batch else action

    actions.extract_iam_action = action_of_batches_too

    def invoke(target, event, rule, *arguments, **named):
        arn = target.get("Arn", "")
        if ":sqs:" in arn:
            account = arn.split(":")[4]
            if not sqs.queue_policy_allows(arn, "events.amazonaws.com", rule.get("Arn", ""), account):
                print(f"EventBridge: the policy of {arn} doesn't let {rule.get('Arn')} send", file=sys.stderr)
                return None
        return original_invoke(target, event, rule, *arguments, **named)

    eventbridge._invoke_target = invoke


def mend_multipart_checksums():
    """The CRC64NVME of a multipart upload is always the whole object's; here it is one of its parts' checksums."""
    from ministack.services import s3

    parts = contextvars.ContextVar("parts of the upload that is being completed", default=None)
    original_complete, original_composite = s3._complete_multipart_upload, s3._composite_checksum

    def complete(bucket, key, body, query, headers=None):
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId")) or {}
        is_whole = upload.get("checksum_algorithm") == "CRC64NVME"
        token = parts.set(upload["parts"] if is_whole else None)
        try:
            status, answered, answer = original_complete(bucket, key, body, query, headers)
        finally:
            parts.reset(token)
        if is_whole and status == 200:
            s3._ensure_bucket(bucket)["objects"][key]["checksum_type"] = "FULL_OBJECT"
            answer = answer.replace(b"COMPOSITE", b"FULL_OBJECT")
            # It is given again to whoever asks again, with the headers of this one, its length among them.
            s3._completed_multipart_uploads[s3._qp(query, "uploadId")]["response"] = (status, answered, answer)
        return status, answered, answer

    def checksum(algorithm, of_parts):
        if parts.get() is None:
            return original_composite(algorithm, of_parts)
        bodies = [part["body"] for _, part in sorted(parts.get().items())]
        return s3._compute_s3_checksum(algorithm, b"".join(bodies))

    s3._complete_multipart_upload, s3._composite_checksum = complete, checksum


def mend_copied_parts():
    """AWS says the CRC64NVME of a part that it has copied; here nothing is said of it, and a completion that names it is refused."""
    from ministack.services import s3

    original = s3._upload_part_copy

    def copy(bucket, key, query, headers):
        status, answered, answer = original(bucket, key, query, headers)
        if status == 200:
            part = s3._multipart_uploads[s3._qp(query, "uploadId")]["parts"][int(s3._qp(query, "partNumber", "1"))]
            checksum = s3._compute_s3_checksum("CRC64NVME", part["body"])
            part["checksums"] = {"CRC64NVME": checksum}
            said = f"<ChecksumCRC64NVME>{checksum}</ChecksumCRC64NVME></CopyPartResult>".encode()
            answer = answer.replace(b"</CopyPartResult>", said)
        return status, answered, answer

    s3._upload_part_copy = copy


def mend_ranges_of_versions():
    """Whoever asks for a part of a certain version gets all of it."""
    import ministack.services.s3 as s3

    original = s3._get_object

    def part_of_version(bucket, key, headers, query_params=None):
        status, answered, body = original(bucket, key, headers, query_params)
        wanted = headers.get("range") if s3._qp(query_params or {}, "versionId", "") else None
        if status != 200 or not wanted or not isinstance(body, bytes):
            return status, answered, body
        first, last = s3._parse_range(wanted, len(body))
        part = body[first : last + 1]
        length = {"Content-Length": str(len(part)), "Content-Range": f"bytes {first}-{last}/{len(body)}"}
        kept = {name: value for name, value in answered.items() if name.lower() != "content-length"}
        return 206, {**kept, **length}, part

    s3._get_object = part_of_version


def mend_bucket_owners():
    """Whose bucket a request expects isn't looked at: it reaches anybody's that lets it in. AWS wants that header signed, too."""
    from ministack.services import s3

    original, original_scope = s3.handle_request, s3._apply_bucket_scope

    async def handle(method, path, headers, *arguments, **named):
        if "x-amz-expected-bucket-owner" in headers:
            signed = re.search(r"SignedHeaders=([^,]*)", headers.get("authorization", ""))
            if not signed or "x-amz-expected-bucket-owner" not in signed[1].split(";"):
                return s3._error("AccessDenied", "Access Denied", 403, path)
        return await original(method, path, headers, *arguments, **named)

    def scope(method, bucket, key, headers, *arguments, **named):
        expected, owner = headers.get("x-amz-expected-bucket-owner"), bucket and s3._bucket_owner_account(bucket)
        if expected and owner and expected != owner:
            return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}")
        return original_scope(method, bucket, key, headers, *arguments, **named)

    s3.handle_request, s3._apply_bucket_scope = handle, scope


def mend_confirmations():
    """An address gets mail without having confirmed it. The token that the mail would hold is "mail-to-ADDRESS"."""
    from ministack.services import sns

    original_list, original_confirm = sns._list_subscriptions_by_topic, sns._confirm_subscription

    def ask_new_addresses(params):
        topic, _ = sns._get_topic(sns._p(params, "TopicArn"))
        subscriptions = topic["subscriptions"] if topic else []
        for subscription in subscriptions:
            if subscription["protocol"].startswith("email") and "asked" not in subscription:
                token = "mail-to-" + subscription["endpoint"]
                subscription.update(asked=True, confirmed=False, token=token)
                subscription["attributes"]["PendingConfirmation"] = "true"
        return subscriptions

    def list_by_topic(params):
        subscriptions = ask_new_addresses(params)
        status, headers, body = original_list(params)
        for subscription in subscriptions:
            if subscription["attributes"].get("PendingConfirmation") == "true":
                arn = f"<SubscriptionArn>{subscription['arn']}<".encode()
                body = body.replace(arn, b"<SubscriptionArn>PendingConfirmation<")
        return status, headers, body

    def confirm(params):
        ask_new_addresses(params)
        return original_confirm(params)

    sns._list_subscriptions_by_topic, sns._confirm_subscription = list_by_topic, confirm


def mend_stacks_of_resources():
    """DescribeStackResources doesn't know whose a physical resource is."""
    from ministack.services import cloudformation
    from ministack.services.cloudformation import handlers

    original = handlers._ACTION_HANDLERS["DescribeStackResources"]

    def describe(params):
        physical = handlers._p(params, "PhysicalResourceId")
        for name, stack in cloudformation._stacks.items() if physical else ():
            gone = stack.get("StackStatus") == "DELETE_COMPLETE"
            for resource in [] if gone else stack.get("_resources", {}).values():
                if resource.get("PhysicalResourceId") == physical:
                    return original({**params, "StackName": name})
        if physical:
            return handlers._error("ValidationError", f"Stack for {physical} does not exist")
        return original(params)

    handlers._ACTION_HANDLERS["DescribeStackResources"] = describe


if __name__ == "__main__":
    sys.exit(main())
