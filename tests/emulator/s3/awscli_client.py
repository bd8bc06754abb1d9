"""awscli as a real client of the emulator's S3."""
import json
import os
import subprocess


def aws(*words, fails=None):
    command = ["/usr/bin/aws", "--endpoint-url", os.environ["ENDPOINT"], *words]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if fails is None:
        assert run.returncode == 0, (command, run.stdout, run.stderr)
        return run.stdout
    assert run.returncode != 0 and fails in run.stderr, (command, run.stdout, run.stderr)
    return ""


small, large = os.urandom(1000), os.urandom(17_000_000)
open("small", "wb").write(small)
open("large", "wb").write(large)
aws("s3", "mb", "s3://cli-bucket")
aws("s3", "cp", "small", "s3://cli-bucket/in/small")
aws("s3", "cp", "large", "s3://cli-bucket/in/large")  # in parts
assert "PRE in/" in aws("s3", "ls", "s3://cli-bucket/")
aws("s3", "sync", "s3://cli-bucket/in", "copy")
assert open("copy/small", "rb").read() == small and open("copy/large", "rb").read() == large
aws("s3api", "get-object", "--bucket", "cli-bucket", "--key", "in/small", "--range", "bytes=10-19", "part")
assert open("part", "rb").read() == small[10:20]
page = json.loads(aws("s3api", "list-objects-v2", "--bucket", "cli-bucket", "--max-items", "1", "--page-size", "1"))
assert [o["Key"] for o in page["Contents"]] == ["in/large"] and page["NextToken"]
aws("s3api", "head-object", "--bucket", "cli-bucket", "--key", "absent", fails="404")
aws("s3", "rb", "s3://cli-bucket", fails="BucketNotEmpty")
aws("s3", "rb", "--force", "s3://cli-bucket")
os.environ["AWS_SECRET_ACCESS_KEY"] = "wrong"
aws("s3", "ls", fails="SignatureDoesNotMatch")
print("awscli: all as expected")
