"""Requests whose head or framing two readers could take in two ways, and expectations: refused, and nothing smuggled."""
import boto3
from botocore.client import Config

from raw_requests import *

CLOSE = ["connection: close"]
s3 = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], config=Config(retries={"max_attempts": 0}, read_timeout=5))
s3.create_bucket(Bucket="framing")
PATH = "/framing/k"
expect(ask("PUT", PATH, b"hello"), 200)

# A body under an unknown coding must not become the next request.
inner = request("PUT", "/framing/smuggled", b"evil", CLOSE)
for coding in ["gzip", "xchunked", "chunked, identity", "identity", "identity, chunked", "\x0bchunked", ""]:
    answer = send(request("GET", PATH, extra=["transfer-encoding: " + coding]) + inner)
    assert answer.status in (400, 501) and len(answer.statuses) == 1, (coding, answer)
for lines in (["transfer-encoding: chunked", "transfer-encoding: chunked"],
              ["transfer-encoding: chunked", "content-length: 4"],
              ["content-length: 4", "transfer-encoding: chunked"],
              ["content-length: 5", "content-length: 5"], ["content-length: 5", "content-length: 6"],
              ["content-length: +5"], ["content-length: -5"], ["content-length: 0x5"], ["content-length: 5,5"],
              ["content-length: 99999999999999999999"], ["content-length: "]):
    answer = send(request("PUT", PATH, extra=lines) + b"hello" + inner)
    assert answer.status in (400, 413) and len(answer.statuses) == 1, (lines, answer)
expect(ask("GET", "/framing/smuggled"), 404, "NoSuchKey")

# Heads that readers understand differently.
whole = request("GET", PATH, extra=CLOSE)
for name, data in {"folded": request("GET", PATH, extra=["x-a: b\r\n c", *CLOSE]),
                   "bare line feeds": whole.replace(b"\r\n", b"\n"),
                   "a bare carriage return": request("GET", PATH, extra=["x-a: b\rc", *CLOSE]),
                   "a NUL": request("GET", PATH, extra=["x-a: b\0c", *CLOSE]),
                   "two hosts": request("GET", PATH, extra=["host: evil", *CLOSE]),
                   "no host": b"GET / HTTP/1.1\r\n\r\n",
                   "a space before the colon": request("GET", PATH, extra=["x-a : b", *CLOSE]),
                   "another host in the target": whole.replace(b"GET /", b"GET http://evil.example/"),
                   "two authorizations": request("GET", PATH, extra=["authorization: x", *CLOSE]),
                   "TLS": b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"\0" * 190,
                   }.items():
    assert send(data).status == 400, name
assert send(request("GET", PATH, extra=[f"x-{i}: a" for i in range(3000)])).status == 431
assert send(request("GET", PATH, extra=["x: " + "a" * 70000])).status == 431
assert send(request("GET", PATH, query="&".join(f"a{i}" for i in range(1000)))).status == 400
assert send(request("PUT", PATH, b"x", ["expect: 200-ok", *CLOSE])).status == 417
expect(send(b"\r\n" + whole), 200)
assert send(request("GET", PATH) * 3 + whole).statuses == [200] * 4
assert send(whole.replace(b"GET /", b"GET http://" + HOST.encode() + b"/")).status == 200
chunked = request("PUT", PATH, extra=["transfer-encoding: Chunked", *CLOSE])
expect(send(chunked + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), 200)
assert s3.get_object(Bucket="framing", Key="k")["Body"].read() == b"hello"

# 100-continue: before any body, even an empty one; not where the request fails anyway.
for body in (b"", b"hello"):
    assert send(request("PUT", PATH, body, ["expect: 100-continue", *CLOSE])).statuses == [100, 200], body
refused = send(request("PUT", PATH, extra=["expect: 100-continue", "content-length: 5000000"], secret="bad"))
assert refused.statuses == [403], refused
refused = send(request("PUT", PATH, headers={"if-none-match": "*"},
                       extra=["expect: 100-continue", "content-length: 5000000"]))
assert refused.statuses == [412], refused
for key, body in (("empty", b""), ("full", b"x" * 1000), ("empty", b""), ("full", b"y" * 1000)):
    s3.put_object(Bucket="framing", Key=key, Body=body)  # on one connection
    assert s3.get_object(Bucket="framing", Key=key)["Body"].read() == body

# Whoever is unknown gets an answer, not a reader.
with socket.create_connection((ADDRESS.hostname, ADDRESS.port)) as stranger:
    stranger.settimeout(5)
    stranger.sendall(request("PUT", PATH, extra=["content-length: 80000000"], secret="bad"))
    assert stranger.recv(4096).startswith(b"HTTP/1.1 403")
    try:
        sent = 0
        while sent < 60_000_000:
            stranger.sendall(b"x" * 1_000_000)
            sent += 1_000_000
        raise AssertionError("all of it was read")
    except ConnectionError:
        pass
print("framing: all as expected")
