#include <gmock/gmock.h>

#include "emulator/lambda/harness.h"

namespace funcpipe {
namespace {

TEST(LambdaInvoke, AnswersAndReports) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
import re
service = client()
create(service)
answer = service.invoke(FunctionName="f", Payload=b'{"op": "echo", "text": "\xc3\xa4"}', LogType="Tail")
assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST", answer
assert json.loads(answer["Payload"].read())["event"]["text"] == "\u00e4"
log = base64.b64decode(answer["LogResult"]).decode()
request_id = answer["ResponseMetadata"]["RequestId"]
report = re.search(r"REPORT RequestId: (\S+)\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\tMemory Size: 512 MB\t"
                   r"Max Memory Used: (\d+) MB\tInit Duration: ([\d.]+) ms\t", log)
assert report and report[1] == request_id, log
assert abs(int(report[3]) - float(report[2]) - float(report[5])) <= 1, log
assert 3 <= int(report[4]) < 200, log
assert f"START RequestId: {request_id} Version: $LATEST" in log and f"END RequestId: {request_id}" in log, log
_, _, log = invoke(service, {"op": "print", "text": "hello"})
assert "hello\n" in log and "to stderr\n" in log and "Init Duration" not in log, log
assert log.index("START") < log.index("hello") < log.index("END") < log.index("REPORT"), log
assert "LogResult" not in service.invoke(FunctionName="f")
headers, _, _ = invoke(service, {"op": "headers"})
assert headers["lambda-runtime-invoked-function-arn"].endswith(":function:f"), headers
assert 30_000 < int(headers["lambda-runtime-deadline-ms"]) - time.time() * 1000 <= 60_000, headers
assert headers["lambda-runtime-trace-id"].startswith("Root=1-"), headers
assert service.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204
)");
  const Usage usage = harness.bill().by_function.at("f");
  EXPECT_EQ(usage.invocations, 4);
  EXPECT_GT(usage.gb_seconds, 0.5 * 0.004);  // at least the billing step of each
  EXPECT_LT(usage.gb_seconds, 0.5 * 30);
}

TEST(LambdaInvoke, BillsMemoryAndVcpus) {
  TestFolder folder;
  Platform platform = test_platform();
  platform.sizes = {{512, 0.25, 1e9, 1e9}, {512, 0.5, 1e9, 1e9}};
  LambdaHarness harness(folder.path(), platform);
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
def with_a_quarter(params, **_):  # boto3 sends no field that Lambda lacks
    params["body"] = json.dumps({**json.loads(params["body"]), "Cpu": 0.25}).encode()
create(service, "half")
service.meta.events.register("before-call.lambda.CreateFunction", with_a_quarter)
create(service, "quarter")
for name in ("half", "quarter"):
    invoke(service, {"op": "echo"}, name)
)");
  const Bill bill = harness.bill();
  const Usage& half = bill.by_function.at("half");
  const Usage& quarter = bill.by_function.at("quarter");
  EXPECT_GT(half.gb_seconds, 0);
  EXPECT_DOUBLE_EQ(half.vcpu_seconds, half.gb_seconds) << "0.5 GB and, by default, 0.5 vCPUs";
  EXPECT_DOUBLE_EQ(quarter.vcpu_seconds, quarter.gb_seconds / 2);
}

TEST(LambdaInvoke, GivesLambdasEnvironmentAndNothingElse) {
  ::setenv("NOT_FOR_FUNCTIONS", "secret", 1);
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
create(service, environment={"MINE": "yes", "PATH": "/usr/bin"})
answer, _, _ = invoke(service, {"op": "env"})
env = answer["env"]
expected = {"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_REGION",
            "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "_HANDLER", "TZ", "PATH", "HOME", "TMPDIR", "LANG",
            "AWS_ENDPOINT_URL_S3", "MINE"}
assert set(env) - {"LD_LIBRARY_PATH", "LC_CTYPE"} == expected, set(env) ^ expected
assert env["MINE"] == "yes" and env["PATH"] == "/usr/bin" and env["AWS_LAMBDA_FUNCTION_NAME"] == "f", env
assert answer["cwd"] == env["LAMBDA_TASK_ROOT"] and answer["session"], answer
assert os.path.isdir(env["TMPDIR"])
)");
}

TEST(LambdaInvoke, ReportsFailuresAsLambdaDoes) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
create(service)
answer, error, log = invoke(service, {"op": "error"})
assert error == "Unhandled" and answer == {"errorMessage": "as asked", "errorType": "ValueError"}, answer
pid = invoke(service, {"op": "echo"})[0]["pid"]
assert invoke(service, {"op": "echo"})[0]["pid"] == pid, "an error posted is no reason to end the instance"
answer, error, log = invoke(service, {"op": "exit", "status": 3})
assert error == "Unhandled" and answer["errorType"] == "Runtime.ExitError", answer
assert answer["errorMessage"].startswith("RequestId: ") and \
    answer["errorMessage"].endswith("Error: Runtime exited with error: exit status 3"), answer
assert "REPORT RequestId" in log and "Status: error" in log, log
answer, error, _ = invoke(service, {"op": "exit", "status": 0})
assert answer["errorMessage"].endswith("Error: Runtime exited without providing a reason"), answer
answer, error, _ = invoke(service, {"op": "kill"})
assert answer["errorMessage"].endswith("signal: segmentation fault"), answer
after, error, _ = invoke(service, {"op": "echo"})
assert error is None and after["pid"] != pid and after["count"] == 1, after
create(service, "posts", environment={"FAIL_INIT": "post"})
answer, error, log = invoke(service, {}, "posts")
assert error == "Unhandled" and answer == {"errorMessage": "cannot begin", "errorType": "Init.Bad"}, answer
assert "INIT_REPORT" in log and "Init Duration" in log, log
create(service, "exits", environment={"FAIL_INIT": "exit"})
answer, error, _ = invoke(service, {}, "exits")
assert error == "Unhandled" and answer["errorMessage"].endswith("exit status 7"), answer
create(service, "empty", zip_bytes=package([("readme", "", 0o644)], bootstrap=False))
answer, error, _ = invoke(service, {}, "empty")
assert error == "Unhandled" and answer["errorType"] == "Runtime.InvalidEntrypoint", answer
create(service, "unexecutable", zip_bytes=package(mode=0o644))
answer, error, _ = invoke(service, {}, "unexecutable")
assert error == "Unhandled" and "permission denied" in answer["errorMessage"].lower(), answer
)");
}

TEST(LambdaInvoke, EndsWhatRunsOutOfTime) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform(), 2);
  EXPECT_SCRIPT(harness, folder.path(), R"(
import re
service = client()
create(service, timeout=2)
pid = invoke(service, {"op": "echo"})[0]["pid"]
begin = time.monotonic()
answer, error, log = invoke(service, {"op": "sleep", "seconds": 60})
took = time.monotonic() - begin
assert error == "Unhandled" and "Task timed out after 2.00 seconds" in answer["errorMessage"], answer
assert 3.9 < took < 30, took  # two seconds, dilated by two
duration = float(re.search(r"Duration: ([\d.]+) ms", log)[1])
assert abs(duration - 2000) < 1, log
wait_until(lambda: not running(pid))
assert invoke(service, {"op": "echo"})[0]["count"] == 1
)");
  EXPECT_GT(harness.bill().by_function.at("f").gb_seconds, 0.5 * 2);
}

TEST(LambdaInvoke, AnInitBeyondItsPhaseStartsAnewOnTheInvocationsTime) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform(), 0.1);  // the init phase is a second here
  EXPECT_SCRIPT(harness, folder.path(), R"(
import re
service = client()
create(service, "slow", timeout=90, environment={"SLOW_INIT": "2"})
answer, error, log = invoke(service, {"op": "echo"}, "slow")
assert error is None and answer["count"] == 1, answer
duration = float(re.search(r"Duration: ([\d.]+) ms", log)[1])
assert duration > 20000 and "Init Duration" not in log, log  # two seconds, sped up by ten
create(service, "slower", timeout=9, environment={"SLOW_INIT": "2"})
answer, error, log = invoke(service, {"op": "echo"}, "slower")
assert error == "Unhandled" and "Task timed out after 9.00 seconds" in answer["errorMessage"], answer
)");
  EXPECT_EQ(harness.bill().by_function.at("slow").invocations, 1);
  EXPECT_GT(harness.bill().by_function.at("slow").gb_seconds, 0.5 * 30) << "both inits are paid for";
}

TEST(LambdaInvoke, DividesDurationsByTheDilation) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform(), 4);
  EXPECT_SCRIPT(harness, folder.path(), R"(
import re
service = client()
create(service, memory=1024)
invoke(service, {})
_, _, log = invoke(service, {"op": "sleep", "seconds": 2})
duration = float(re.search(r"Duration: ([\d.]+) ms", log)[1])
assert 499 < duration < 1500, log
)");
}

TEST(LambdaInvoke, ReusesWarmInstancesAndStartsColdOnesInParallel) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
from concurrent.futures import ThreadPoolExecutor
service = client()
create(service)
cold, _, _ = invoke(service, {})
warm, _, _ = invoke(service, {})
assert warm["pid"] == cold["pid"] and warm["count"] == 2, warm
with ThreadPoolExecutor(2) as pool:
    begin = time.monotonic()
    two = [job.result()[0] for job in [pool.submit(invoke, service, {"op": "sleep", "seconds": 3}) for _ in range(2)]]
    took = time.monotonic() - begin
assert two[0]["pid"] != two[1]["pid"] and cold["pid"] in (two[0]["pid"], two[1]["pid"]), two
assert took < 5.9, took  # one after the other would take six
with ThreadPoolExecutor(2) as pool:
    envs = [job.result()[0]["env"] for job in [pool.submit(invoke, service, {"op": "env"}) for _ in range(2)]]
create(service, "other")
envs += [invoke(service, {"op": "env"}, "other")[0]["env"]]
assert envs[0]["AWS_ACCESS_KEY_ID"] != envs[2]["AWS_ACCESS_KEY_ID"]
assert envs[0]["AWS_SESSION_TOKEN"] != envs[2]["AWS_SESSION_TOKEN"]
assert envs[0]["AWS_LAMBDA_LOG_STREAM_NAME"] != envs[2]["AWS_LAMBDA_LOG_STREAM_NAME"]
# An instance's own credentials are for the store.
temporary = client(aws_access_key_id=envs[2]["AWS_ACCESS_KEY_ID"], aws_secret_access_key=envs[2]["AWS_SECRET_ACCESS_KEY"],
                   aws_session_token=envs[2]["AWS_SESSION_TOKEN"])
for call, fields in ((temporary.list_functions, {}), (temporary.invoke, {"FunctionName": "f"}),
                     (temporary.delete_function, {"FunctionName": "f"}), (temporary.get_function, {"FunctionName": "f"})):
    expect_error("AccessDeniedException", 403, call, **fields)
expect_error("AccessDeniedException", 403, create, temporary, "mine")
service.delete_function(FunctionName="other")
expect_error("UnrecognizedClientException", 403, temporary.list_functions)
)");
}

TEST(LambdaInvoke, EndsEveryInstanceOnRequestAndStartsNewOnes) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  const auto exists = [&](const char* file) { return std::filesystem::exists(folder.path() / file); };
  std::jthread ender([&](std::stop_token stop) {  // again and again: nothing tells when the second one is at work
    while (!stop.stop_requested() && !exists("done")) {
      if (exists("ready")) harness.on_thread([&] { harness.server().end_instances(); });
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
create(service)
create(service, "busy")
pids = [invoke(service, {"op": "echo"}, name)[0]["pid"] for name in ("f", "busy")]
open(FOLDER + "/ready", "w").close()
answer, error, _ = invoke(service, {"op": "sleep", "seconds": 60}, "busy")
open(FOLDER + "/done", "w").close()
assert error == "Unhandled", answer
time.sleep(0.5)
assert not running(pids[0]) and not running(pids[1])
assert invoke(service, {"op": "echo"})[0]["count"] == 1
)");
  EXPECT_EQ(harness.bill().by_function.at("busy").invocations, 2) << "what was ended has its price";
}

TEST(LambdaInvoke, ReapsIdleInstances) {
  TestFolder folder;
  Platform platform = test_platform();
  platform.limits.idle_timeout = 1;
  LambdaHarness harness(folder.path(), platform);
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
create(service)
first = invoke(service, {"op": "child"})[0]
wait_until(lambda: not running(first["pid"]) and not running(first["child"]))
assert invoke(service, {})[0]["count"] == 1
)");
}

TEST(LambdaInvoke, ThrottlesAtTheConcurrencyLimit) {
  TestFolder folder;
  Platform platform = test_platform();
  platform.limits.concurrency = 1;
  LambdaHarness harness(folder.path(), platform);
  EXPECT_SCRIPT(harness, folder.path(), R"(
from concurrent.futures import ThreadPoolExecutor
service = client()
create(service)
create(service, "g")
invoke(service, {})
path = FOLDER + "/appended"
with ThreadPoolExecutor(1) as pool:
    busy = pool.submit(invoke, service, {"op": "sleep", "seconds": 4})
    time.sleep(1)
    error = expect_error("TooManyRequestsException", 429, service.invoke, FunctionName="g")
    assert error["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1", error
    # Events wait for room.
    event = json.dumps({"op": "append", "path": path, "text": "came"})
    assert service.invoke(FunctionName="g", InvocationType="Event", Payload=event)["StatusCode"] == 202
    assert busy.result()[1] is None
wait_until(lambda: os.path.exists(path))
)");
}

TEST(LambdaInvoke, RunsEventsAndRepeatsThoseThatFail) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
create(service)
def event(**fields):
    answer = service.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps({"op": "append", **fields}))
    assert answer["StatusCode"] == 202 and answer["Payload"].read() == b"", answer
def lines(path):
    return open(path).read().split() if os.path.exists(path) else []
good, bad = FOLDER + "/good", FOLDER + "/bad"
event(path=good, text="once")
event(path=bad, text="again", fail=True)
wait_until(lambda: len(lines(bad)) == 3)
time.sleep(2.5)
assert lines(good) == ["once"] and lines(bad) == ["again"] * 3, lines(bad)
)");
  EXPECT_EQ(harness.bill().by_function.at("f").invocations, 4);
}

TEST(LambdaInvoke, RefusesPayloadsThatAreTooLarge) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
create(service)
large = json.dumps({"op": "echo", "text": "x" * 5_900_000})
answer, error, _ = invoke(service, {"op": "large", "bytes": 5_900_000})
assert error is None and len(answer["text"]) == 5_900_000
assert service.invoke(FunctionName="f", Payload=large)["StatusCode"] == 200
expect_error("RequestTooLargeException", 413, service.invoke, FunctionName="f", Payload=json.dumps("x" * 6_000_001))
expect_error("RequestTooLargeException", 413, service.invoke, FunctionName="f", InvocationType="Event",
             Payload=json.dumps("x" * 1_100_000))
answer, error, _ = invoke(service, {"op": "large", "bytes": 6_000_001})
assert error == "Unhandled" and answer["errorType"] == "Function.ResponseSizeTooLarge", answer
)");
}

}  // namespace
}  // namespace funcpipe
