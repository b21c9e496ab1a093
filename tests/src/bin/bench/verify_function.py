"""A function as people write it in Python: reads a backup's archive once, compares its MD5 with the manifest's, inflates
it to its end, and stores a verdict. It walks no archive and counts no rows.

It speaks Lambda's runtime API itself, as AWS's client for Python does in a few lines more. botocore stands in for boto3,
which is a layer over it: a function with boto3 starts later, not sooner.
"""

import hashlib
import http.client
import json
import os
import zlib

import botocore.session

CHUNK = 1 << 20

s3 = botocore.session.get_session().create_client("s3")
bucket = os.environ["BACKUP_S3_BUCKET"]


def main():
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        invocation, event = ask(api, "GET", "next")
        ask(api, "POST", f"{invocation}/response", json.dumps(check(json.loads(event))))


def ask(api, method, what, body=None):
    """The id of the invocation that the answer is about, and the answer."""
    api.request(method, f"/2018-06-01/runtime/invocation/{what}", body)
    answer = api.getresponse()
    return answer.headers.get("Lambda-Runtime-Aws-Request-Id"), answer.read()


def check(event):
    key = event["detail"]["object"]["key"]
    archive = json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])["archive"]
    md5, whole = read(s3.get_object(Bucket=bucket, Key=archive["key"])["Body"])
    intact = whole and md5 == archive["md5"]
    verdict = key.replace(".manifest.", ".intact." if intact else ".damaged.")
    s3.put_object(Bucket=bucket, Key=verdict, Body=json.dumps({"md5": md5}))
    return {"intact": intact}


def read(body):
    """The MD5 of all bytes, and whether they are whole gzip members to the end."""
    md5, member = hashlib.md5(), zlib.decompressobj(wbits=31)
    for chunk in body.iter_chunks(CHUNK):
        md5.update(chunk)
        while chunk:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            member.decompress(chunk)
            chunk = member.unused_data
    return md5.hexdigest(), member.eof


main()
