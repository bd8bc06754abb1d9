"""Signs the requests of a JSON file with botocore and prints the Authorization headers as a JSON list."""

import base64
import datetime
import json
import sys
from unittest import mock

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def sign(case):
    headers = dict(case["headers"])
    url = "http://" + headers["Host"] + case["path"] + ("?" + case["query"] if case["query"] else "")
    request = AWSRequest(method=case["method"], url=url, headers=headers, data=base64.b64decode(case["body"]))
    credentials = Credentials(case["access_key"], case["secret_key"], case["session_token"] or None)
    kind = auth.S3SigV4Auth if case["service"] == "s3" else auth.SigV4Auth
    signer = kind(credentials, case["service"], case["region"])
    if case["service"] == "s3":
        # Without a client's configuration botocore decides by the URL's scheme; the case decides here.
        signer._should_sha256_sign_payload = lambda request: not case["unsigned_payload"]
    now = datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc).replace(tzinfo=None)
    with mock.patch.object(auth, "datetime", wraps=datetime) as clock:
        clock.datetime.utcnow.return_value = now
        clock.datetime.now.return_value = now
        signer.add_auth(request)
    return request.headers["Authorization"]


with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps([sign(case) for case in json.load(file)]))
