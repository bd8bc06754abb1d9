"""boto3 as a real client of the emulator's S3: every call a user is likely to make, checked."""
import base64
import hashlib
import http.client
import io
import os
import urllib.error
import urllib.parse
import urllib.request
import zlib

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["ENDPOINT"]
CONFIG = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, signature_version="s3v4")


def client(**keys):
    return boto3.client("s3", endpoint_url=ENDPOINT, config=CONFIG, **keys)


def refused(code, status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as error:
        got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), got
        return
    raise AssertionError(f"expected {code}")


s3 = client()
s3.create_bucket(Bucket="first")
refused("BucketAlreadyOwnedByYou", 409, s3.create_bucket, Bucket="first")
refused("InvalidBucketName", 400, client().list_objects_v2, Bucket="x.-")
assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["first"]
assert s3.get_bucket_location(Bucket="first")["LocationConstraint"] is None
s3.head_bucket(Bucket="first")
refused("404", 404, s3.head_bucket, Bucket="absent")

# Put and get; ETag, metadata, content type.
body = os.urandom(300_000)
put = s3.put_object(Bucket="first", Key="a/b", Body=body, ContentType="x/y", Metadata={"rank": "3"})
assert put["ETag"] == '"' + hashlib.md5(body).hexdigest() + '"', put
got = s3.get_object(Bucket="first", Key="a/b")
assert got["Body"].read() == body and got["ContentType"] == "x/y" and got["Metadata"] == {"rank": "3"}
head = s3.head_object(Bucket="first", Key="a/b")
assert head["ContentLength"] == len(body) and head["ETag"] == put["ETag"]
refused("NoSuchKey", 404, s3.get_object, Bucket="first", Key="absent")
refused("NoSuchBucket", 404, s3.get_object, Bucket="absent", Key="absent")
refused("404", 404, s3.head_object, Bucket="first", Key="absent")

# Ranges.
for text, first, last in [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=299990-400000", 299990, None)]:
    part = s3.get_object(Bucket="first", Key="a/b", Range=text)
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206 and part["Body"].read() == body[first:last], text
refused("InvalidRange", 416, s3.get_object, Bucket="first", Key="a/b", Range="bytes=300000-")

# Strange keys come back as they went in.
keys = ["..", ".", "../x", "a//b", "a b+c&d=e", "ä/ö/日本", "%2F", "x" * 1024, "tab\there", "q?x#y"]
for key in keys:
    s3.put_object(Bucket="first", Key=key, Body=key.encode())
for key in keys:
    assert s3.get_object(Bucket="first", Key=key)["Body"].read() == key.encode(), key
listed = [o["Key"] for o in s3.list_objects_v2(Bucket="first")["Contents"]]
assert listed == sorted(keys + ["a/b"], key=lambda k: k.encode()), listed
refused("KeyTooLongError", 400, s3.put_object, Bucket="first", Key="x" * 1025, Body=b"")

# Condition: only if absent.
def only_if_absent(params, **_):
    params["headers"]["If-None-Match"] = "*"

careful = client()
careful.meta.events.register("before-call.s3.PutObject", only_if_absent)
careful.put_object(Bucket="first", Key="once", Body=b"1")
refused("PreconditionFailed", 412, careful.put_object, Bucket="first", Key="once", Body=b"2")
assert s3.get_object(Bucket="first", Key="once")["Body"].read() == b"1"

# Checksums that do not match leave nothing behind.
refused("BadDigest", 400, s3.put_object, Bucket="first", Key="bad", Body=b"data", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
refused("InvalidDigest", 400, s3.put_object, Bucket="first", Key="bad", Body=b"data", ContentMD5="abc")
refused("BadDigest", 400, s3.put_object, Bucket="first", Key="bad", Body=b"data", ChecksumCRC32="AAAAAA==")
refused("404", 404, s3.head_object, Bucket="first", Key="bad")
for algorithm in ["CRC32", "SHA1", "SHA256"]:
    s3.put_object(Bucket="first", Key="sum", Body=b"data", ChecksumAlgorithm=algorithm)

# Listing: pages, prefixes, delimiters.
s3.create_bucket(Bucket="pages")
names = [f"d{i % 7}/k{i:03}" for i in range(100)] + ["top"]
for name in names:
    s3.put_object(Bucket="pages", Key=name, Body=b"")
for size in (1, 7, 100, 1000):
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="pages", PaginationConfig={"PageSize": size}):
        found += [o["Key"] for o in page.get("Contents", [])]
    assert found == sorted(names), size
    groups, direct = [], []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="pages", Delimiter="/", PaginationConfig={"PageSize": size}):
        groups += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        direct += [o["Key"] for o in page.get("Contents", [])]
    assert groups == [f"d{i}/" for i in range(7)] and direct == ["top"], (size, groups, direct)
after = s3.list_objects_v2(Bucket="pages", Prefix="d3/", StartAfter="d3/k050")
assert [o["Key"] for o in after["Contents"]] == sorted(n for n in names if n.startswith("d3/") and n > "d3/k050")
assert len(list(boto3.resource("s3", endpoint_url=ENDPOINT, config=CONFIG).Bucket("pages").objects.all())) == 101  # version 1
assert s3.list_objects_v2(Bucket="pages", MaxKeys=0)["KeyCount"] == 0

# Deleting.
answer = s3.delete_objects(Bucket="pages", Delete={"Objects": [{"Key": n} for n in names] + [{"Key": "absent"}]})
assert len(answer["Deleted"]) == 102 and "Errors" not in answer
assert s3.list_objects_v2(Bucket="pages")["KeyCount"] == 0
s3.delete_object(Bucket="first", Key="absent")
refused("BucketNotEmpty", 409, s3.delete_bucket, Bucket="first")
s3.delete_bucket(Bucket="pages")
refused("NoSuchBucket", 404, s3.list_objects_v2, Bucket="pages")

# An upload in parts, as boto3 does from 8 MB on.
large = os.urandom(20_000_000)
s3.upload_fileobj(io.BytesIO(large), "first", "large")
back = io.BytesIO()
s3.download_fileobj("first", "large", back)
assert back.getvalue() == large
assert s3.head_object(Bucket="first", Key="large")["ETag"].endswith('-3"')
upload = s3.create_multipart_upload(Bucket="first", Key="parts")["UploadId"]
s3.abort_multipart_upload(Bucket="first", Key="parts", UploadId=upload)
refused("NoSuchUpload", 404, s3.upload_part, Bucket="first", Key="parts", UploadId=upload, PartNumber=1, Body=b"x")

# Presigned addresses need no credentials; changed ones are refused.
url = s3.generate_presigned_url("get_object", Params={"Bucket": "first", "Key": "a/b"}, ExpiresIn=60)
assert urllib.request.urlopen(url).read() == body
try:
    urllib.request.urlopen(url.replace("a/b", "once"))
    raise AssertionError("a presigned address for another key")
except urllib.error.HTTPError as error:
    assert error.code == 403 and b"SignatureDoesNotMatch" in error.read()

# Wrong keys.
refused("SignatureDoesNotMatch", 403, client(aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="wrong").list_buckets)
refused("InvalidAccessKeyId", 403, client(aws_access_key_id="AKIAWRONG", aws_secret_access_key="wrong").list_buckets)
refused("InvalidToken", 403, client(aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"], aws_session_token="x").list_buckets)
try:
    urllib.request.urlopen(ENDPOINT + "/first/a/b")
    raise AssertionError("anonymous")
except urllib.error.HTTPError as error:
    assert error.code == 403 and b"<Code>AccessDenied</Code>" in error.read()

# Newer clients send their checksum behind the body, in the aws-chunked coding.
class Trailing(S3SigV4Auth):
    def payload(self, request):
        return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def put_chunked(key, coded, length):
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(length), "X-Amz-Trailer": "x-amz-checksum-crc32", "Content-Length": str(len(coded))}
    request = AWSRequest("PUT", f"{ENDPOINT}/first/{key}", headers=headers)
    Trailing(boto3.Session().get_credentials(), "s3", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(urllib.parse.urlparse(ENDPOINT).netloc, timeout=10)
    connection.request("PUT", f"/first/{key}", coded, dict(request.headers))
    answer = connection.getresponse()
    return answer.status, answer.read()


def coded(data, checksum, chunk=65536):
    out = b""
    for at in range(0, len(data), chunk):
        part = data[at:at + chunk]
        out += b"%x\r\n%s\r\n" % (len(part), part)
    return out + b"0\r\nx-amz-checksum-crc32:" + base64.b64encode(checksum.to_bytes(4, "big")) + b"\r\n\r\n"


right = zlib.crc32(body)
status, text = put_chunked("chunked", coded(body, right), len(body))
assert status == 200, text
assert s3.get_object(Bucket="first", Key="chunked")["Body"].read() == body
status, text = put_chunked("chunked-bad", coded(body, right ^ 1), len(body))
assert status == 400 and b"BadDigest" in text, text
status, text = put_chunked("chunked-bad", coded(body, right), len(body) + 1)
assert status == 400 and b"IncompleteBody" in text, text
status, text = put_chunked("chunked-bad", coded(body, right).replace(b"10000", b"zzzzz", 1), len(body))
assert status == 400 and b"IncompleteBody" in text, text
refused("404", 404, s3.head_object, Bucket="first", Key="chunked-bad")
print("boto3: all as expected")
