"""What the tests' boto3 scripts share: clients of the emulator under test, and a package to deploy."""
import base64
import io
import json
import os
import sys
import time
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/test"
HERE = os.path.dirname(os.path.abspath(__file__))


def client(retries=0, **overrides):
    keys = {"aws_access_key_id": os.environ["ACCESS_KEY"], "aws_secret_access_key": os.environ["SECRET_KEY"]}
    return boto3.client("lambda", endpoint_url=os.environ["LAMBDA_URL"], region_name="us-east-1",
                        config=Config(retries={"max_attempts": retries}, read_timeout=120, max_pool_connections=50),
                        **{**keys, **overrides})


def package(extra=(), bootstrap=True, mode=0o755):
    """A zip with the test bootstrap, and (name, content, mode) entries."""
    out = io.BytesIO()
    entries = list(extra)
    if bootstrap:
        with open(os.path.join(HERE, "bootstrap.py")) as file:
            entries.append(("bootstrap", file.read(), mode))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, entry_mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = entry_mode << 16
            archive.writestr(info, content)
    return out.getvalue()


def create(service, name="f", memory=512, timeout=60, zip_bytes=None, environment=None, **fields):
    return service.create_function(
        FunctionName=name, Role=ROLE, Runtime="provided.al2023", Handler="bootstrap", MemorySize=memory,
        Timeout=timeout, Code={"ZipFile": package() if zip_bytes is None else zip_bytes},
        Environment={"Variables": environment or {}}, **fields)


def invoke(service, event, name="f", **fields):
    """The answer's payload, the FunctionError and the log tail."""
    answer = service.invoke(FunctionName=name, Payload=json.dumps(event).encode(), LogType="Tail", **fields)
    text = answer["Payload"].read()
    log = base64.b64decode(answer.get("LogResult", "")).decode()
    return (json.loads(text) if text else None), answer.get("FunctionError"), log


def expect_error(code, status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        return error.response
    raise AssertionError(f"expected {code}")


def wait_until(condition, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def running(pid):
    """Whether the process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
