#!/usr/bin/python3
"""A function's bootstrap for the tests: does what the event asks for, over the real Runtime API."""
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
ROOT = "/2018-06-01/runtime/"
STARTED = time.time()
count = 0
ballast = []


def call(method, path, body=None):
    connection = http.client.HTTPConnection(API)
    connection.request(method, ROOT + path, body)
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


def tick(path):
    with open(path, "a") as file:
        while True:
            file.write("x")
            file.flush()
            time.sleep(0.005)


def spin(seconds):
    """Processor seconds used in so many seconds of wall clock."""
    until = time.monotonic() + seconds
    before = time.process_time()
    while time.monotonic() < until:
        sum(range(1000))
    return time.process_time() - before


def handle(event, headers):
    op = event.get("op", "echo")
    if op == "echo":
        return {"event": event, "pid": os.getpid(), "count": count, "started": STARTED}
    if op == "headers":
        return {k.lower(): v for k, v in headers.items()}
    if op == "env":
        return {"env": dict(os.environ), "cwd": os.getcwd(), "args": sys.argv,
                "session": os.getsid(0) == os.getpid(), "files": sorted(os.listdir("."))}
    if op == "print":
        print(event["text"], flush=True)
        print("to stderr", file=sys.stderr, flush=True)
        return {}
    if op == "error":
        raise ValueError("as asked")
    if op == "exit":
        os._exit(event["status"])
    if op == "kill":
        os.kill(os.getpid(), signal.SIGSEGV)
    if op == "sleep":
        time.sleep(event["seconds"])
        return {"pid": os.getpid()}
    if op == "allocate":
        for _ in range(event["mb"]):
            ballast.append(b"x" * (1 << 20))
            time.sleep(0.0005)
        return {"mb": event["mb"]}
    if op == "tick":
        threading.Thread(target=tick, args=(event["path"],), daemon=True).start()
        return {"pid": os.getpid()}
    if op == "child":
        return {"pid": os.getpid(), "child": subprocess.Popen(["/bin/sleep", "600"]).pid}
    if op == "wait_for_size":
        while os.path.getsize(event["path"]) < event["size"]:
            time.sleep(0.005)
        return {}
    if op == "spin":
        return {"used": spin(event["seconds"])}
    if op == "append":
        with open(event["path"], "a") as file:
            file.write(event["text"] + "\n")
        if event.get("fail"):
            raise RuntimeError("after appending")
        return {}
    if op == "post":  # to somebody else's Runtime API, perhaps
        try:
            connection = http.client.HTTPConnection(event["address"], timeout=5)
            connection.request("POST", ROOT + event["path"], event["body"])
            return {"status": connection.getresponse().status}
        except (OSError, http.client.HTTPException) as error:
            return {"status": str(error)}
    if op == "flood_api":
        return {"statuses": sorted({call("POST", "init/error", "x" * 100_000)[0] for _ in range(event["times"])})}
    if op == "flood_log":
        print("x" * event["bytes"], flush=True)
        return {}
    if op == "large":
        return {"text": "x" * event["bytes"]}
    raise KeyError(op)


if os.environ.get("FAIL_INIT") == "post":
    call("POST", "init/error", json.dumps({"errorMessage": "cannot begin", "errorType": "Init.Bad"}))
    sys.exit(1)
if os.environ.get("FAIL_INIT") == "exit":
    sys.exit(7)

time.sleep(float(os.environ.get("SLOW_INIT", 0)))

while True:
    _, headers, body = call("GET", "invocation/next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    count += 1
    try:
        call("POST", f"invocation/{request_id}/response", json.dumps(handle(json.loads(body), headers)))
    except Exception as error:  # as a runtime reports what a handler throws
        call("POST", f"invocation/{request_id}/error",
             json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}))
