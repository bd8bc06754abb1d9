// What others on the machine, and whoever holds credentials, may try: nothing of it reaches an instance that is not
// theirs, and nothing ends the emulator.
#include <gmock/gmock.h>

#include <fstream>

#include "emulator/isolation/isolation.h"
#include "emulator/isolation/peer_socket.h"
#include "emulator/lambda/bounded_json.h"
#include "emulator/lambda/harness.h"
#include "emulator/lambda/instance_log.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

class LambdaHostile : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ::setenv("FUNCPIPE_ISOLATION", GetParam(), 1);
    if (std::string(GetParam()) == "cgroup" && !make_isolation(boost::asio::system_executor(), IsolationKind::cgroup))
      GTEST_SKIP() << "control groups may not be used here";
  }
  void TearDown() override { ::unsetenv("FUNCPIPE_ISOLATION"); }
  TestFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, LambdaHostile, testing::Values("cgroup", "fallback"),
                         [](const auto& kind) { return std::string(kind.param); });

// The instance's own processes reach its Runtime API, its children too; other processes of the same user do not.
TEST_P(LambdaHostile, TheRuntimeApiAnswersItsOwnInstanceAlone) {
  LambdaHarness harness(folder_.path(), test_platform());
  EXPECT_SCRIPT(harness, folder_.path(), R"(
import http.client, threading
service = client()
create(service, "slow", environment={"SLOW_INIT": "5"})
create(service, "other")
def runtime_api(name):
    return invoke(service, {"op": "env"}, name)[0]["env"]["AWS_LAMBDA_RUNTIME_API"]
def attempt(address, method, path, body=None):
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request(method, "/2018-06-01/runtime/" + path, body)
    return connection.getresponse().status
other = runtime_api("other")
assert attempt(other, "GET", "invocation/next") == 403
assert attempt(other, "POST", "init/error", "{}") == 403
# While one initialises; from here and from another instance.
answers = []
threads = [threading.Thread(target=lambda: answers.append(invoke(service, {"op": "echo"}, "slow")))]
threads[0].start()
def starting():
    """The address of the instance of "slow", as anybody who may look into its process finds it."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            variables = open(f"/proc/{process}/environ", "rb").read().split(b"\0")
        except OSError:
            continue
        if b"AWS_LAMBDA_FUNCTION_NAME=slow" in variables and f"HOME={FOLDER}".encode() in b" ".join(variables):
            return next(v for v in variables if v.startswith(b"AWS_LAMBDA_RUNTIME_API=")).decode().split("=", 1)[1]
wait_until(starting)
for path, body in (("init/error", '{"errorMessage": "forged"}'), ("invocation/x/response", "{}")):
    assert attempt(starting(), "POST", path, body) == 403
    from_instance, _, _ = invoke(service, {"op": "post", "address": starting(), "path": path, "body": body}, "other")
    assert from_instance["status"] == 403, from_instance
threads[0].join()
answer, error, _ = answers[0]
assert error is None and answer["count"] == 1, answer
# A bootstrap may be a shell that calls a program for each message.
script = """#!/bin/sh
set -eu
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
while true; do
  curl -sS -D head "$api/invocation/next" >/dev/null
  id=$(tr -d '\\r' <head | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
  curl -sS -X POST "$api/invocation/$id/response" -d '{"from": "shell"}' >/dev/null
done
"""
if os.path.exists("/usr/bin/curl"):
    create(service, "shell", zip_bytes=package([("bootstrap", script, 0o755)], bootstrap=False))
    for _ in range(2):
        answer, error, log = invoke(service, {}, "shell")
        assert error is None and answer == {"from": "shell"}, (answer, log)
)");
}

TEST_P(LambdaHostile, TheRuntimeApiHoldsNoMoreThanItMust) {
  LambdaHarness harness(folder_.path(), test_platform());
  EXPECT_SCRIPT(harness, folder_.path(), R"(
service = client()
create(service)
# A function that floods its own Runtime API and its log harms itself alone.
answer, error, _ = invoke(service, {"op": "flood_api", "times": 200})
assert error is None and answer["statuses"] == [403], answer
for _ in range(3):
    invoke(service, {"op": "flood_log", "bytes": 12_000_000})
log = os.listdir(FOLDER + "/logs/f")
assert sum(os.path.getsize(FOLDER + "/logs/f/" + name) for name in log) < 20_000_000, log
assert invoke(service, {})[1] is None
)");
}

TEST(LambdaApi, WithstandsWhatIsDeepLongOrMalformed) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
import urllib.parse
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
import urllib.request, urllib.error
service = client()
create(service)
def send(method, path, body, secret=None):
    request = AWSRequest(method, os.environ["LAMBDA_URL"] + path, data=body)
    SigV4Auth(Credentials(os.environ["ACCESS_KEY"], secret or os.environ["SECRET_KEY"]), "lambda", "us-east-1").add_auth(request)
    plain = urllib.request.Request(request.url, data=body, headers=dict(request.headers), method=method)
    try:
        return urllib.request.urlopen(plain, timeout=20).status
    except urllib.error.HTTPError as error:
        assert b"json.exception" not in error.read()
        return error.code
FUNCTIONS = "/2015-03-31/functions"
deep = b"[" * 100_000 + b"]" * 100_000
make = b'{"FunctionName":"g","Role":"arn:aws:iam::000000000000:role/r","Code":{"ZipFile":""},%s}'
for field in (b'"MemorySize"', b'"Code"', b'"Environment"', b'"Unknown"', b'"Architectures"', b'"Timeout"'):
    assert send("POST", FUNCTIONS, make % (field + b":" + deep)) == 400, field
for body in (deep, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"[" + b"[]," * 2_000_000 + b"[]]", b"{", b"\xff", b"null", b"7",
             b'{"FunctionName":7,"Role":1}', make % b'"PackageType":7', make % b'"EphemeralStorage":7', make % b'"DryRun":[]',
             make % b'"Timeout":1e400', make % b'"MemorySize":18446744073709551615'):
    assert send("POST", FUNCTIONS, body) == 400, body[:60]
long = "a" * 50_000
role = "arn:aws:iam::000000000000:role/" + "r" * 900_000
assert send("POST", FUNCTIONS, json.dumps({"FunctionName": "g", "Role": role, "Code": {"ZipFile": ""}}).encode()) == 400
names = json.dumps({"Environment": {"Variables": {"A" * 900_000: "x"}}}).encode()
assert send("PUT", FUNCTIONS + "/f/configuration", names) == 400
assert send("GET", FUNCTIONS + "/" + long, None) == 400
assert send("GET", FUNCTIONS + "/%ff%fe", None) == 400
assert send("GET", FUNCTIONS + "x", None) == 404
assert send("PUT", FUNCTIONS + "/f/code", b'{"DryRun":[],"ZipFile":""}') == 400
assert send("PUT", "/2019-09-25/functions/f/event-invoke-config", b'{"MaximumRetryAttempts":' + deep + b"}") == 400
assert send("PUT", FUNCTIONS + "/f/configuration", b'{"Description":"' + b"d" * 1_100_000 + b'"}') == 413
assert invoke(service, {})[1] is None, "it serves on"
)");
}

TEST(LambdaApi, AStrangersBodyIsNotRead) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
import socket, urllib.parse
address = urllib.parse.urlparse(os.environ["LAMBDA_URL"])
stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
def attempt(key, more=""):
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.settimeout(10)
        connection.sendall((f"POST /2015-03-31/functions HTTP/1.1\r\nhost: {address.netloc}\r\nx-amz-date: {stamp}\r\n{more}"
            f"authorization: AWS4-HMAC-SHA256 Credential={key}/{stamp[:8]}/us-east-1/lambda/aws4_request, "
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00\r\ncontent-length: 70000000\r\n\r\n").encode())
        return connection.recv(100)  # although nothing of the body was sent
assert attempt("AKIANOBODY").startswith(b"HTTP/1.1 403")
# One who names a real key and promises a body is checked before the body comes.
assert attempt(os.environ["ACCESS_KEY"], f"x-amz-content-sha256: {'0' * 64}\r\n").startswith(b"HTTP/1.1 403")
)");
}

TEST(LambdaFolder, OthersFilesAreLeftAlone) {
  TestFolder folder;
  const auto write = [&](const fs::path& path) { ASSERT_TRUE(write_file(folder.path() / path, "mine")); };
  const std::vector<fs::path> mine = {"functions/notes.txt",
                                      "functions/mine/data.bin",
                                      "functions/mine/package-0123456789ab/data.bin",
                                      "functions/f/README",
                                      "instances/notes.txt",
                                      "instances/0123456789abcdef0123456789abcdef/data.bin",
                                      "logs/f/old.log",
                                      "README"};
  for (const auto& path : mine) write(path);
  fs::create_directory_symlink(folder.path() / "functions" / "mine", folder.path() / "functions" / "link");
  for (int round = 0; round < 2; ++round) {
    LambdaHarness harness(folder.path(), test_platform());
    EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
create(service)
create(service, "mine")
assert invoke(service, {})[1] is None
service.update_function_code(FunctionName="f", ZipFile=package([("two", "", 0o644)]))
service.delete_function(FunctionName="f")
service.delete_function(FunctionName="mine")
wait_until(lambda: os.listdir(FOLDER + "/functions/f") == ["README"])
)");
  }
  for (const auto& path : mine) EXPECT_EQ(read_file(folder.path() / path).value_or("gone"), "mine") << path;
  EXPECT_TRUE(fs::is_symlink(folder.path() / "functions" / "link"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path() / "instances"), fs::directory_iterator()), 2);
}

TEST(LambdaFolder, ADescriptionSpeaksOfItsOwnFolderAlone) {
  TestFolder folder;
  ASSERT_TRUE(write_file(folder.path() / "precious" / "data", "mine"));
  {
    LambdaHarness harness(folder.path() / "cloud", test_platform());
    EXPECT_SCRIPT(harness, folder.path(), "create(client())");
  }
  const auto description = folder.path() / "cloud" / "functions" / "f" / "function.json";
  auto json = nlohmann::json::parse(read_file(description).value());
  boost::asio::io_context context;
  boost::asio::thread_pool threads(1);
  for (const auto& [field, value] : {std::pair{"package", "../../../precious"}, std::pair{"name", "g"}}) {
    auto changed = json;
    changed[field] = value;
    ASSERT_TRUE(write_file(description, changed.dump()));
    CredentialTable table;
    Bill bill;
    LambdaOptions options;
    options.folder = folder.path() / "cloud";
    const auto server = LambdaServer::start(context, threads, options, table, bill);
    ASSERT_FALSE(server) << field;
    EXPECT_EQ(server.error().code, ErrorCode::corrupt);
  }
  EXPECT_TRUE(fs::exists(folder.path() / "precious" / "data"));
}

TEST(BoundedJson, IsShallowSmallAndWellFormed) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_bounded_json(nested(kDeepestJson)));
  EXPECT_FALSE(parse_bounded_json(nested(kDeepestJson + 1)));
  EXPECT_TRUE(parse_bounded_json("\"" + nested(1000) + "\\\"" + nested(1000) + "\""));
  EXPECT_FALSE(parse_bounded_json("[" + std::string(2 * kMostJsonValues, ',') + "]"));
  EXPECT_FALSE(parse_bounded_json("{\"a\""));
  EXPECT_EQ(parse_bounded_json(R"({"a":[1,"\\"]})").value()["a"][1], "\\");
  EXPECT_EQ(to_text(nlohmann::json("\xff")), "\"\xEF\xBF\xBD\"");
}

TEST(InstanceLog, KeepsTheLatestOfAFileAndOfAFolder) {
  TestFolder folder;
  const std::string id(32, 'a');
  {
    InstanceLog log(folder.path(), id);
    const std::string line(1 << 20, 'x');
    for (int i = 0; i < 40; ++i) log.write(line);
    log.write("the end");
    EXPECT_TRUE(log.tail().ends_with("the end"));
  }
  EXPECT_TRUE(read_file(folder.path() / (id + ".log"))->ends_with("the end"));
  Bytes total = 0;
  for (const auto& file : fs::directory_iterator(folder.path())) total += static_cast<Bytes>(file.file_size());
  EXPECT_LE(total, 17 * kMiB);
  ASSERT_TRUE(write_file(folder.path() / "mine.log", "mine"));
  for (int i = 0; i < 2100; ++i) std::ofstream(folder.path() / fmt::format("{:032x}.log", i)) << i;
  InstanceLog(folder.path(), std::string(32, 'b')).write("x");
  EXPECT_LE(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 2002);
  EXPECT_TRUE(fs::exists(folder.path() / "mine.log"));
}

}  // namespace
}  // namespace funcpipe
