"""Whatever S3 is asked to keep it keeps, and what is not kept it refuses: checksums, conditions, headers, addresses."""
import datetime
import time
import zlib

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

from raw_requests import *

# boto3 since 1.36 adds a CRC-32 to every part, whatever the upload was begun with; before, nothing that is not asked for.
os.environ["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"
s3 = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], config=Config(retries={"max_attempts": 0}, signature_version="s3v4"))
s3.create_bucket(Bucket="kept")
HELLO = b"hello"
SUMS = {"crc32": b64(zlib.crc32(HELLO).to_bytes(4, "big")), "sha1": b64(hashlib.sha1(HELLO).digest()),
        "sha256": b64(hashlib.sha256(HELLO).digest()), "crc32c": "mnG7TA==", "crc64nvme": "M3eFcAZSQlc="}


def refused(code, status, call, **fields):
    try:
        call(**fields)
    except ClientError as error:
        got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), got
        return
    raise AssertionError(f"expected {code}")


def text(key):
    return s3.get_object(Bucket="kept", Key=key)["Body"].read()


# Every checksum there is: in a header, behind the body, verified, kept and given back.
WRONG = {name: b64(bytes(len(base64.b64decode(value)))) for name, value in SUMS.items()}
assert WRONG["crc64nvme"] == "AAAAAAAAAAA="
CHUNKED = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5"}


def chunked(body, trailer=None, **headers):
    named = {"x-amz-trailer": trailer} if trailer else {}
    return ask("PUT", "/kept/c", body, headers={**CHUNKED, **named, **headers}, payload=STREAMING)


def coded(*trailers):
    return b"5\r\nhello\r\n0\r\n" + b"".join(line.encode() + b"\r\n" for line in trailers) + b"\r\n"


for name, value in SUMS.items():
    header = "x-amz-checksum-" + name
    expect(ask("PUT", "/kept/h", HELLO, headers={header: value, "x-amz-sdk-checksum-algorithm": name.upper()}), 200)
    got = ask("GET", "/kept/h", headers={"x-amz-checksum-mode": "ENABLED"}).raw
    assert f"{header}: {value}".encode() in got and b"x-amz-checksum-type: FULL_OBJECT" in got, got
    expect(ask("PUT", "/kept/no", HELLO, headers={header: WRONG[name]}), 400, "BadDigest")
    expect(ask("PUT", "/kept/no", HELLO, headers={header: "AAAA"}), 400, "InvalidRequest")
    expect(chunked(coded(f"{header}:{value}"), header), 200)
    assert f"{header}: {value}".encode() in ask("HEAD", "/kept/c", headers={"x-amz-checksum-mode": "ENABLED"}).raw
    expect(chunked(coded(f"{header}:{WRONG[name]}"), header), 400, "BadDigest")
    expect(chunked(coded(), header), 400, "MalformedTrailerError")
    expect(chunked(coded(f"{header}:{value}")), 400, "MalformedTrailerError")
    expect(chunked(coded(f"{header}:{value}", f"{header}:{value}"), header), 400, "MalformedTrailerError")
    other = "sha1" if name != "sha1" else "crc32"
    expect(chunked(coded(f"x-amz-checksum-{other}:{SUMS[other]}"), header), 400, "MalformedTrailerError")
    expect(chunked(coded(f"{header}:{value}"), header, **{"x-amz-sdk-checksum-algorithm": other}), 400, "InvalidRequest")
    both = {header: value, "x-amz-checksum-" + other: SUMS[other]}
    expect(ask("PUT", "/kept/no", HELLO, headers=both), 400, "InvalidRequest")
expect(ask("PUT", "/kept/no", HELLO, headers={"x-amz-sdk-checksum-algorithm": "CRC32"}), 400, "InvalidRequest")
expect(ask("PUT", "/kept/no", HELLO, headers={"x-amz-checksum-xxhash": "AAAA"}), 501, "NotImplemented")
expect(chunked(coded("x-foo:1"), "x-foo"), 400, "InvalidRequest")
expect(chunked(coded()), 200)
for body in (b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n", coded() + b"GARBAGE", b"-5\r\nhello\r\n0\r\n\r\n",
             b"0x5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"",
             b"5;chunk-signature=a\r\nhello\r\n0;chunk-signature=b\r\n\r\n", b"4\r\nhell\r\n0\r\n\r\n",
             b"6\r\nhello!\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n"):
    expect(chunked(body), 400, "IncompleteBody")
expect(ask("PUT", "/kept/no", coded(), headers=CHUNKED), 400, "InvalidRequest")  # aws-chunked, but not said to be
expect(ask("GET", "/kept/no"), 404, "NoSuchKey")

# Uploads in parts, with each kind of checksum.
BIG, LAST = b"a" * (5 << 20), b"tail"
DIGESTS = {"CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"), "SHA1": lambda data: hashlib.sha1(data).digest(),
           "SHA256": lambda data: hashlib.sha256(data).digest()}


def upload(key, **fields):
    answer = s3.create_multipart_upload(Bucket="kept", Key=key, **fields)
    identity = answer["UploadId"]
    parts = []
    for number, data in enumerate((BIG, LAST), 1):
        part = s3.upload_part(Bucket="kept", Key=key, UploadId=identity, PartNumber=number, Body=data)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    return identity, parts


def complete(key, identity, parts, headers=None):
    listed = "".join("<Part>" + "".join(f"<{k}>{v}</{k}>" for k, v in part.items()) + "</Part>" for part in parts)
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    return ask("POST", "/kept/" + key, document, query="uploadId=" + identity, headers=headers)


for name, digest in DIGESTS.items():
    header, element = "x-amz-checksum-" + name.lower(), "Checksum" + name
    identity, parts = upload("mp", ChecksumAlgorithm=name)
    expect(complete("mp", identity, parts), 400, "InvalidRequest")  # each part's is wanted
    for part, data in zip(parts, (BIG, LAST)):
        part[element] = b64(digest(data))
    bad = [{**parts[0], element: parts[1][element]}, parts[1]]
    expect(complete("mp", identity, bad), 400, "InvalidPart")
    whole = b64(digest(digest(BIG) + digest(LAST))) + "-2"
    expect(complete("mp", identity, parts, {header: whole[:3] + "A" + whole[4:]}), 400, "BadDigest")
    answer = expect(complete("mp", identity, parts, {header: whole, "x-amz-checksum-type": "COMPOSITE"}), 200)
    assert f"<{element}>{whole}</{element}><ChecksumType>COMPOSITE</ChecksumType>".encode() in answer.raw, answer
    assert whole.encode() in ask("HEAD", "/kept/mp", headers={"x-amz-checksum-mode": "ENABLED"}).raw
full = b64(zlib.crc32(BIG + LAST).to_bytes(4, "big"))


def created(key, **headers):
    answer = expect(ask("POST", "/kept/" + key, b"", query="uploads=", headers=headers), 200)
    identity = re.search(rb"<UploadId>(.*?)</UploadId>", answer.raw).group(1).decode()
    parts = [{"PartNumber": n, "ETag": s3.upload_part(Bucket="kept", Key=key, UploadId=identity, PartNumber=n,
                                                      Body=data)["ETag"]} for n, data in ((1, BIG), (2, LAST))]
    return identity, parts


FULL = {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT"}
identity, parts = created("full", **FULL)
expect(complete("full", identity, parts, {"x-amz-checksum-crc32": "AAAAAA=="}), 400, "BadDigest")
expect(complete("full", identity, parts, {"x-amz-checksum-type": "COMPOSITE"}), 400, "InvalidRequest")
expect(complete("full", identity, parts, {"x-amz-mp-object-size": "1"}), 400, "InvalidRequest")
right = {"x-amz-checksum-crc32": full, "x-amz-checksum-type": "FULL_OBJECT", "x-amz-mp-object-size": str(len(BIG) + 4)}
expect(complete("full", identity, parts, right), 200)
expect(complete("full", identity, parts, right), 200)  # the answer may have been lost
identity, parts = created("plain")  # without an algorithm the whole can be claimed all the same
expect(complete("plain", identity, parts, {"x-amz-checksum-crc32": "AAAAAA=="}), 400, "BadDigest")
expect(complete("plain", identity, parts, {"x-amz-checksum-crc32": full}), 200)
for headers in ({"x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT"},
                {"x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE"},
                {"x-amz-checksum-algorithm": "MD4"}, {"x-amz-checksum-type": "FULL_OBJECT"}):
    expect(ask("POST", "/kept/x", b"", query="uploads=", headers=headers), 400, "InvalidRequest")
identity, _ = created("other", **FULL)
sha = {"x-amz-checksum-sha1": SUMS["sha1"]}
expect(ask("PUT", "/kept/other", HELLO, query=f"partNumber=1&uploadId={identity}", headers=sha), 400, "InvalidRequest")

# Parts are listed and read as parts.
s3.put_object(Bucket="kept", Key="listed", Body=b"<ListPartsResult><Part><PartNumber>666</PartNumber></Part></ListPartsResult>")
identity, parts = upload("listed", ChecksumAlgorithm="SHA1")
seen = s3.list_parts(Bucket="kept", Key="listed", UploadId=identity)["Parts"]
assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in seen] == [(1, len(BIG), parts[0]["ETag"]), (2, 4, parts[1]["ETag"])]
assert seen[1]["ChecksumSHA1"] == b64(DIGESTS["SHA1"](LAST))
pages = list(s3.get_paginator("list_parts").paginate(Bucket="kept", Key="listed", UploadId=identity, PaginationConfig={"PageSize": 1}))
assert [p["PartNumber"] for page in pages for p in page["Parts"]] == [1, 2]
refused("NoSuchUpload", 404, s3.list_parts, Bucket="kept", Key="listed", UploadId="none")
second = s3.get_object(Bucket="kept", Key="full", PartNumber=2)
assert second["Body"].read() == LAST and second["PartsCount"] == 2, second
assert second["ContentRange"] == f"bytes {len(BIG)}-{len(BIG) + 3}/{len(BIG) + 4}"
assert s3.get_object(Bucket="kept", Key="h", PartNumber=1)["Body"].read() == HELLO
assert ask("GET", "/kept/full", query="partNumber=3").code == "InvalidPartNumber"

# Conditions.
s3.put_object(Bucket="kept", Key="k", Body=b"x")
tag = s3.head_object(Bucket="kept", Key="k")["ETag"]
now, past = datetime.datetime.utcnow() + datetime.timedelta(seconds=5), datetime.datetime(2020, 1, 1)
for fields, status in (({"IfMatch": tag}, 200), ({"IfMatch": '"0"'}, 412), ({"IfMatch": f'"0", {tag}'}, 200),
                       ({"IfNoneMatch": tag}, 304), ({"IfNoneMatch": '"0"'}, 200), ({"IfModifiedSince": now}, 304),
                       ({"IfModifiedSince": past}, 200), ({"IfUnmodifiedSince": past}, 412), ({"IfUnmodifiedSince": now}, 200),
                       ({"IfMatch": tag, "IfUnmodifiedSince": past}, 200), ({"IfNoneMatch": '"0"', "IfModifiedSince": now}, 200)):
    for call in (s3.get_object, s3.head_object):
        try:
            got = call(Bucket="kept", Key="k", **fields)["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            got = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert got == status, (fields, got)
expect(ask("PUT", "/kept/k", b"y", headers={"if-match": '"0"'}), 412, "PreconditionFailed")
expect(ask("PUT", "/kept/absent", b"y", headers={"if-match": '"0"'}), 404, "NoSuchKey")
for name, value in (("if-none-match", tag), ("if-modified-since", "x"), ("if-unmodified-since", "x")):
    expect(ask("PUT", "/kept/k", b"y", headers={name: value}), 501, "NotImplemented")
expect(ask("DELETE", "/kept/k", headers={"if-match": '"0"'}), 412, "PreconditionFailed")
expect(ask("DELETE", "/kept/k", headers={"if-none-match": "*"}), 501, "NotImplemented")
expect(ask("DELETE", "/kept/absent", headers={"if-match": '"0"'}), 204)


def delete_all(*objects):
    document = "<Delete>" + "".join(f"<Object>{o}</Object>" for o in objects) + "</Delete>"
    return ask("POST", "/kept", document.encode(), query="delete=", headers={"content-md5": b64(hashlib.md5(document.encode()).digest())})


stale = delete_all("<Key>k</Key><ETag>&quot;0&quot;</ETag>", "<Key>k</Key><VersionId>7</VersionId>").raw
assert stale.count(b"<Error><Key>k</Key>") == 2 and b"PreconditionFailed" in stale and b"NotImplemented" in stale, stale
assert text("k") == b"x"
assert b"<Deleted><Key>k</Key>" in delete_all(f"<Key>k</Key><ETag>{tag}</ETag>").raw
expect(ask("GET", "/kept/k"), 404, "NoSuchKey")

# An order to delete is understood whole, or nothing is deleted.
s3.put_object(Bucket="kept", Key="k", Body=b"x")


def order(document, **headers):
    document = document.encode()
    headers = headers or {"content-md5": b64(hashlib.md5(document).digest())}
    return ask("POST", "/kept", document, query="delete=", headers=headers)


K = "<Object><Key>k</Key></Object>"
DOCTYPE = '<!DOCTYPE Delete [<!ENTITY k "k">]>'
for document in (f"<Delete>{K}<Object><Key/></Object></Delete>", f"<Delete>{K}<Object></Object></Delete>",
                 f"<Delete><Quiet>maybe</Quiet>{K}</Delete>", f"<Delete><Quiet/>{K}</Delete>", f"<Delete>{K}<Else/></Delete>",
                 f"<Delete>{K}text</Delete>", "<Delete><Object><Key>k</Key><Else>1</Else></Object></Delete>",
                 "<Delete><Object><Key>k</Key><Key>l</Key></Object></Delete>", f"<Delete>{K}</Delete><Delete>{K}</Delete>",
                 "<Delete><Object><Key>k<b/></Key></Object></Delete>", f"<Remove>{K}</Remove>", "<Delete/>", "",
                 f"{DOCTYPE}<Delete>{K}</Delete>", f"<Delete>{DOCTYPE}{K}</Delete>", f"<Delete>{K}</Delete>{DOCTYPE}"):
    expect(order(document), 400, "MalformedXML")
expect(order(f"<Delete>{K}<Object><Key>{'x' * 1025}</Key></Object></Delete>"), 400, "KeyTooLongError")
expect(order(f"<Delete>{K}</Delete>", **{"content-type": "application/xml"}), 400, "InvalidRequest")
expect(order(f"<Delete>{K}</Delete>", **{"x-amz-sdk-checksum-algorithm": "CRC32"}), 400, "InvalidRequest")
assert text("k") == b"x"
document = f"<Delete>\n<Quiet> true </Quiet> <Object>\n<Key>{'x' * 1024}</Key></Object>{K}</Delete>"
crc = b64(zlib.crc32(document.encode()).to_bytes(4, "big"))
assert b"<Deleted>" not in expect(order(document, **{"x-amz-checksum-crc32": crc}), 200).raw
expect(ask("GET", "/kept/k"), 404, "NoSuchKey")
s3.put_object(Bucket="kept", Key="a", Body=b"x")
assert b"<Deleted><Key>ab</Key>" in order("<Delete><Object><Key>a<!-- -->b</Key></Object></Delete>").raw
assert text("a") == b"x"
s3.delete_object(Bucket="kept", Key="a")

# Numbers of a range may be larger than any object.
MANY = "9" * 20
s3.put_object(Bucket="kept", Key="r", Body=HELLO)
refused("InvalidRange", 416, s3.get_object, Bucket="kept", Key="r", Range=f"bytes={MANY}-")
for wanted, found in ((f"0-{MANY}", HELLO), (f"1-{MANY}", HELLO[1:]), (f"-{MANY}", HELLO)):
    got = s3.get_object(Bucket="kept", Key="r", Range="bytes=" + wanted)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206 and got["Body"].read() == found, (wanted, got)
s3.delete_object(Bucket="kept", Key="r")

# The parts of an upload come in their order, whatever else is wrong with them.
identity = s3.create_multipart_upload(Bucket="kept", Key="order")["UploadId"]
parts = [{"PartNumber": n, "ETag": s3.upload_part(Bucket="kept", Key="order", UploadId=identity, PartNumber=n, Body=HELLO)["ETag"]}
         for n in (1, 2, 3)]
expect(complete("order", identity, parts), 400, "EntityTooSmall")
for wrong in ([parts[1], parts[0]], [parts[0], parts[2], parts[1]], [parts[0], parts[0]], [{**parts[1], "ETag": "no"}, parts[0]]):
    expect(complete("order", identity, wrong), 400, "InvalidPartOrder")
for wrong in ({**parts[0], "Else": 1}, {**parts[0], "PartNumber": "1x"}, {"ETag": parts[0]["ETag"]}):
    expect(complete("order", identity, [wrong]), 400, "MalformedXML")
document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{parts[0]['ETag']}</ETag></Part></CompleteMultipartUpload>"
expect(ask("POST", "/kept/order", ("<!DOCTYPE a>" + document).encode(), query="uploadId=" + identity), 400, "MalformedXML")
expect(ask("POST", "/kept/order", document.encode(), query="uploadId=" + identity), 200)
s3.delete_object(Bucket="kept", Key="order")

# Headers: kept, or refused by name.
described = {"ContentEncoding": "gzip", "CacheControl": "no-store", "ContentDisposition": "attachment", "ContentLanguage": "de"}
s3.put_object(Bucket="kept", Key="d", Body=b"x", Metadata={"a": "1"}, StorageClass="STANDARD", ACL="private", **described)
got = s3.head_object(Bucket="kept", Key="d")
assert {k: got[k] for k in described} == described and got["Metadata"] == {"a": "1"}, got
assert s3.get_object(Bucket="kept", Key="d", ResponseContentType="x/y", ResponseCacheControl="z")["CacheControl"] == "z"
expect(chunked(coded(), **{"content-encoding": "aws-chunked,gzip"}), 200)
assert s3.head_object(Bucket="kept", Key="c")["ContentEncoding"] == "gzip"
for fields in ({"ServerSideEncryption": "AES256"}, {"StorageClass": "GLACIER"}, {"Tagging": "a=b"}, {"ACL": "public-read"},
               {"WebsiteRedirectLocation": "/x"}, {"ObjectLockMode": "GOVERNANCE"}, {"GrantRead": "id=1"},
               {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}):
    refused("NotImplemented", 501, s3.put_object, Bucket="kept", Key="no", Body=b"x", **fields)
    if "GrantRead" not in fields:
        refused("NotImplemented", 501, s3.create_multipart_upload, Bucket="kept", Key="no", **fields)
refused("NotImplemented", 501, s3.copy_object, Bucket="kept", Key="no", CopySource="kept/d")
for call, fields in ((s3.put_object_tagging, {"Key": "d", "Tagging": {"TagSet": []}}), (s3.get_object_tagging, {"Key": "d"}),
                     (s3.put_object_acl, {"Key": "d", "ACL": "private"}), (s3.get_object_acl, {"Key": "d"}),
                     (s3.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Enabled"}}),
                     (s3.get_bucket_versioning, {}), (s3.list_object_versions, {}), (s3.get_bucket_lifecycle_configuration, {}),
                     (s3.put_bucket_tagging, {"Tagging": {"TagSet": []}}), (s3.get_bucket_acl, {}), (s3.get_bucket_policy, {}),
                     (s3.delete_bucket_policy, {}), (s3.list_multipart_uploads, {}), (s3.get_object, {"Key": "d", "VersionId": "7"}),
                     (s3.delete_object, {"Key": "d", "VersionId": "7"})):
    refused("NotImplemented", 501, call, Bucket="kept", **fields)
for method, path, query in (("PUT", "/kept2", "location="), ("PUT", "/kept2", "prefix=a"), ("DELETE", "/kept", "location="),
                            ("PUT", "/kept/no", "uploads="), ("POST", "/kept/no", "uploads=&uploadId=1"), ("PUT", "/kept/no", "partNumber=1"),
                            ("GET", "/kept", "list-type=2&marker=a")):
    expect(ask(method, path, b"", query=query), 501, "NotImplemented")
expect(ask("GET", "/kept/d", query="partNumber=1&partNumber=1"), 400, "InvalidArgument")
refused("AccessDenied", 403, s3.put_object, Bucket="kept", Key="no", Body=b"x", ExpectedBucketOwner="111111111111")
s3.put_object(Bucket="kept", Key="d", Body=b"x", ExpectedBucketOwner="000000000000")
expect(ask("GET", "/kept/no"), 404, "NoSuchKey")
assert s3.list_objects(Bucket="kept", MaxKeys=1)["Contents"][0]["Owner"]["ID"] == "funcpipe"
s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
assert s3.get_bucket_location(Bucket="far")["LocationConstraint"] == "eu-west-1"
s3.delete_bucket(Bucket="far")


def place(name):
    return ask("PUT", "/far", f"<CreateBucketConfiguration>{name}</CreateBucketConfiguration>".encode())


for name in ("mars", "1", "-", "eu-west", "eu-west-", "eu--1", "EU-WEST-1", "eu-west-1x", "e-west-1", "eu-west-1-"):
    expect(place(f"<LocationConstraint>{name}</LocationConstraint>"), 400, "InvalidLocationConstraint")
for document in ("<Else/>", "mars", "<LocationConstraint>EU</LocationConstraint><LocationConstraint>EU</LocationConstraint>"):
    expect(place(document), 400, "MalformedXML")
expect(ask("PUT", "/far", b"<!DOCTYPE a><CreateBucketConfiguration/>"), 400, "MalformedXML")
for name in ("us-gov-west-1", "ap-southeast-2", "us-east-1", "EU"):
    expect(place(f"<LocationConstraint>{name}</LocationConstraint>"), 200)
    assert (s3.get_bucket_location(Bucket="far")["LocationConstraint"] or "us-east-1") == name
    s3.delete_bucket(Bucket="far")
for name in ("192.168.1.1", "999.999.999.999", "xn--a", "sthree-a", "sthree-configurator", "amzn-s3-demo-bucket", "a-s3alias",
             "a--ol-s3", "a--x-s3", "a--table-s3", "a.mrap"):
    expect(ask("PUT", "/" + name, b""), 400, "InvalidBucketName")
for name in ("xn-a", "1.2.3", "mrap", "a-s3"):
    s3.create_bucket(Bucket=name)
    s3.delete_bucket(Bucket=name)

# The bucket in the host's name, for every verb.
port = ADDRESS.port
for host in (f"kept.localhost:{port}", f"KEPT.localhost:{port}", f"kept.127.0.0.1:{port}", "kept.s3.us-east-1.amazonaws.com",
             f"kept.s3.localhost:{port}"):
    expect(ask("PUT", "/v/w", b"precious", host=host), 200)
    assert text("v/w") == b"precious"
    assert b"precious" in expect(ask("GET", "/v/w", host=host), 200).raw
    assert b"<Key>v/w</Key>" in expect(ask("GET", "/", query="list-type=2&prefix=v", host=host), 200).raw
    expect(ask("DELETE", "/v/w", host=host), 204)
    expect(ask("HEAD", "/", host=host), 200)
    expect(ask("HEAD", "/v/w", host=host), 404)
expect(ask("PUT", "/", b"", host=f"by-host.localhost:{port}"), 200)
assert "by-host" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
expect(ask("DELETE", "/", host=f"by-host.localhost:{port}"), 204)
for host in ("kept.example.com", "a.b"):
    expect(ask("PUT", "/v", b"x", host=host), 400, "InvalidRequest")
assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["kept"]

# Signatures are over the address in its one normal form, as AWS documents, however it was sent.
for method, path, query in (("GET", "/kept", "delimiter=/&list-type=2"), ("GET", "/kept", "prefix=a/b&list-type=2"),
                            ("GET", "/kept", "list-type=2&prefix=a:b,c@d"), ("GET", "/kept", "list-type=2&prefix=a%2fb"),
                            ("GET", "/kept", "list-type=2&prefix=%61"), ("GET", "/kept", "list-type=2&prefix"),
                            ("PUT", "/kept/a(b)", ""), ("PUT", "/kept/it's!*", ""), ("PUT", "/kept/a:b,c@d=e$&;", ""),
                            ("PUT", "/kept/%61bc", ""), ("PUT", "/kept/a%2fb", ""), ("PUT", "/kept/tilde%7E", ""),
                            ("PUT", "/kept/a//b/../c/./d", "")):
    body = b"x" if method == "PUT" else None
    expect(ask(method, path, body, query=query), 200)
    as_sent = "&".join(sorted(p if "=" in p else p + "=" for p in query.split("&") if p))
    if as_sent != normal_query(query):
        expect(ask(method, path, body, query=query, canonical_query=as_sent), 403, "SignatureDoesNotMatch")
    if path != encoded(path, "/-_.~"):
        expect(ask(method, path, body, query=query, canonical_path=path), 403, "SignatureDoesNotMatch")
url = s3.generate_presigned_url("get_object", Params={"Bucket": "kept", "Key": "d"}, ExpiresIn=60)
path, _, query = url[len(os.environ["ENDPOINT"]):].partition("?")


def presigned(query, extra=()):
    lines = [f"GET {path}?{query} HTTP/1.1", "host: " + HOST, "connection: close", *extra]
    return send("\r\n".join(lines).encode() + b"\r\n\r\n")


expect(presigned(query), 200)
for region in ("eu-west-1", "", "us-east-1x", "US-EAST-1"):
    answer = expect(ask("GET", "/kept/d", region=region), 400, "AuthorizationHeaderMalformed")
    assert b"<Region>us-east-1</Region>" in answer.raw, answer
    assert b"x-amz-bucket-region: us-east-1" in expect(ask("HEAD", "/kept", region=region), 400).raw
answer = expect(presigned(query.replace("us-east-1", "eu-west-1")), 400, "AuthorizationQueryParametersError")
assert b"<Region>us-east-1</Region>" in answer.raw, answer
expect(presigned(query + "&X-Amz-Signature=00"), 400, "AuthorizationQueryParametersError")
expect(presigned(query + "&x-amz-checksum-mode=ENABLED"), 403, "SignatureDoesNotMatch")
expect(presigned(query, ["authorization: AWS4-HMAC-SHA256 x"]), 400, "InvalidArgument")
expect(presigned(query, ["x-amz-meta-a: b"]), 403, "AccessDenied")
print("kept or refused: all as expected")
