"""Signed S3 requests over plain sockets: for what no client library would send."""
import base64
import datetime
import hashlib
import hmac
import os
import re
import socket
import urllib.parse

ADDRESS = urllib.parse.urlparse(os.environ["ENDPOINT"])
HOST = ADDRESS.netloc
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def encoded(text, safe="-_.~"):
    return urllib.parse.quote(urllib.parse.unquote(text), safe=safe)


def normal_query(query):
    """Every name and value encoded in the one way there is, in order: what AWS signs."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    return "&".join(sorted(encoded(name) + "=" + encoded(value) for name, _, value in pairs))


def head(method, path, query="", headers=None, payload=UNSIGNED, canonical_path=None, canonical_query=None, secret=None,
         host=HOST, keys=None, region="us-east-1"):
    """A signed request's head as a list of lines."""
    access, own_secret, token = keys or (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], None)
    stamp = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
    fields = {"host": host, "x-amz-date": stamp, "x-amz-content-sha256": payload, **(headers or {})}
    if token:
        fields["x-amz-security-token"] = token
    names = sorted(fields)
    canonical = "\n".join([
        method,
        encoded(path, "/-_.~") if canonical_path is None else canonical_path,
        normal_query(query) if canonical_query is None else canonical_query,
        *(f"{name}:{fields[name]}" for name in names), "", ";".join(names), payload])
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + (secret or own_secret)).encode()
    for word in scope.split("/"):
        key = keyed(key, word)
    signature = keyed(key, to_sign).hex()
    lines = [f"{method} {path}{'?' + query if query else ''} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    lines.append(f"authorization: AWS4-HMAC-SHA256 Credential={access}/{scope},SignedHeaders={';'.join(names)},"
                 f"Signature={signature}")
    return lines


def request(method, path, body=None, extra=(), **options):
    """A whole request's bytes; `extra` lines are not signed."""
    lines = head(method, path, **options) + list(extra)
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


class Answer:
    def __init__(self, raw):
        self.raw = raw
        self.statuses = [int(s) for s in re.findall(rb"HTTP/1\.1 (\d+)", raw)]
        self.status = next((s for s in self.statuses if s != 100), None)
        found = re.search(rb"<Code>(.*?)</Code>", raw)
        self.code = found.group(1).decode() if found else ""

    def __repr__(self):
        return repr(self.raw[:600])


def send(data, limit=5):
    """Sends bytes; everything that comes back until the other side closes."""
    with socket.create_connection((ADDRESS.hostname, ADDRESS.port)) as connection:
        connection.settimeout(limit)
        raw = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                raw += piece
        except (TimeoutError, ConnectionError):
            pass
        return Answer(raw)


def ask(method, path, body=None, extra=(), **options):
    return send(request(method, path, body, ["connection: close", *extra], **options))


def expect(answer, status, code=""):
    assert (answer.status, answer.code) == (status, code), (status, code, answer)
    return answer


def b64(raw):
    return base64.b64encode(raw).decode()
