#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/owned_folder.h"
#include "emulator/lambda/harness.h"

namespace funcpipe {
namespace {

using testing::HasSubstr;

TEST(LambdaApi, KeepsWhatBoto3Creates) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
made = create(service, "f", memory=256, timeout=30, environment={"COLOUR": "red"}, Description="d")
assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
assert made["State"] == "Active" and made["LastUpdateStatus"] == "Successful", made
service.get_waiter("function_active_v2").wait(FunctionName="f")
for found in (service.get_function(FunctionName="f")["Configuration"], service.get_function_configuration(FunctionName="f")):
    assert found["MemorySize"] == 256 and found["Timeout"] == 30, found
    assert found["Environment"]["Variables"] == {"COLOUR": "red"} and found["Description"] == "d", found
    assert found["CodeSha256"] == made["CodeSha256"] and found["CodeSize"] == len(package()), found
    assert found["FunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:f", found
for alias in ("f:$LATEST", made["FunctionArn"], "000000000000:function:f"):
    assert service.get_function_configuration(FunctionName=alias)["FunctionName"] == "f"
expect_error("ResourceConflictException", 409, create, service, "f")
for i in range(4):
    create(service, f"g{i}")
names = [f["FunctionName"] for page in service.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
         for f in page["Functions"]]
assert names == ["f", "g0", "g1", "g2", "g3"], names
service.delete_function(FunctionName="f")
expect_error("ResourceNotFoundException", 404, service.get_function, FunctionName="f")
expect_error("ResourceNotFoundException", 404, service.delete_function, FunctionName="f")
expect_error("ResourceNotFoundException", 404, service.invoke, FunctionName="f")
)");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "functions" / "f"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "functions" / "g0"));
}

TEST(LambdaApi, RefusesWhatAwsRefuses) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
import urllib.error, urllib.request
service = client()
assert "memorySize" in expect_error("ValidationException", 400, create, service, memory=20000)["Error"]["Message"]
expect_error("ValidationException", 400, create, service, timeout=901)
expect_error("InvalidParameterValueException", 400, create, service, zip_bytes=b"this is no zip")
expect_error("InvalidParameterValueException", 400, create, service, zip_bytes=package()[:-30])
expect_error("InvalidParameterValueException", 400, create, service, environment={"AWS_REGION": "mars"})
expect_error("InvalidParameterValueException", 400, create, service, environment={"BIG": "x" * 5000})
slip = package([("../../escaped", "boo", 0o644)])
assert "outside" in expect_error("InvalidParameterValueException", 400, create, service, zip_bytes=slip)["Error"]["Message"]
for names in (["a", "a/b"], ["a/b", "a"], ["a", "a/"], ["a/", "a"], ["a/" * 3000 + "a"]):
    said = expect_error("InvalidParameterValueException", 400, create, service,
                        zip_bytes=package([(name, "boo", 0o644) for name in names]))["Error"]["Message"]
    assert FOLDER not in said and "package-" not in said, said
for device in (0o020644, 0o060644, 0o140644):
    expect_error("InvalidParameterValueException", 400, create, service, zip_bytes=package([("device", "", device)]))
expect_error("InvalidParameterValueException", 400, create, service, Architectures=["arm64"])
expect_error("ValidationException", 400, create, service, Architectures=["vax"])
whole = {"FunctionName": "f", "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"ZipFile": package()}}
for missing in ("Runtime", "Handler"):
    expect_error("InvalidParameterValueException", 400, service.create_function,
                 **{field: value for field, value in whole.items() if field != missing})
for elsewhere in ({"S3Bucket": "bucket", "S3Key": "k"}, {"ImageUri": "x"}):
    for zipped in ({"ZipFile": package()}, {}):
        expect_error("InvalidParameterValueException", 400, service.create_function, **{**whole, "Code": {**zipped, **elsewhere}})
assert service.list_functions()["Functions"] == []
assert sorted(os.listdir(FOLDER + "/functions")) in ([], ["f"]), os.listdir(FOLDER + "/functions")
create(service)
expect_error("ValidationException", 400, service.update_function_configuration, FunctionName="f", MemorySize=10241)
assert service.get_function_configuration(FunctionName="f")["MemorySize"] == 512
expect_error("InvalidParameterValueException", 400, service.update_function_code, FunctionName="f", ZipFile=package(),
             Architectures=["arm64"])
expect_error("InvalidRequestContentException", 400, service.invoke, FunctionName="f", Payload=b"{no json")
expect_error("ValidationException", 400, service.invoke, FunctionName="f", LogType="Head")
service.invoke(FunctionName="f", LogType="None", InvocationType="DryRun")
for items in ("0", "10001", "-1", "1x", "99999999999999999999"):
    asking = client()
    asking.meta.events.register("before-call.lambda.ListFunctions",
                                lambda params, **_: params.update(url=params["url"] + "?MaxItems=" + items))
    expect_error("ValidationException", 400, asking.list_functions)
for items in (1, 10000):
    assert len(service.list_functions(MaxItems=items)["Functions"]) == 1
# Signatures
expect_error("InvalidSignatureException", 403, client(aws_secret_access_key="wrong").list_functions)
expect_error("UnrecognizedClientException", 403, client(aws_access_key_id="AKIANOBODY").list_functions)
elsewhere = boto3.client("lambda", endpoint_url=os.environ["LAMBDA_URL"], region_name="eu-west-1",
                         aws_access_key_id=os.environ["ACCESS_KEY"], aws_secret_access_key=os.environ["SECRET_KEY"])
assert "us-east-1" in expect_error("InvalidSignatureException", 403, elsewhere.list_functions)["Error"]["Message"]
try:
    urllib.request.urlopen(os.environ["LAMBDA_URL"] + "/2015-03-31/functions/")
    raise AssertionError("an unsigned request was let in")
except urllib.error.HTTPError as error:
    assert error.code == 403, error
    assert error.headers["x-amzn-ErrorType"], error.headers
    assert json.loads(error.read())["Message"]
)");
}

TEST(LambdaApi, UpdatesCodeAndConfiguration) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
create(service, zip_bytes=package([("one", "", 0o644)]))
first, error, _ = invoke(service, {"op": "env"})
assert first["files"] == ["bootstrap", "one"], first
assert invoke(service, {"op": "echo"})[0]["count"] == 2
changed = service.update_function_code(FunctionName="f", ZipFile=package([("two", "", 0o644)]))
second, error, _ = invoke(service, {"op": "env"})
assert second["files"] == ["bootstrap", "two"], second
service.update_function_configuration(FunctionName="f", MemorySize=1024, Timeout=9, Environment={"Variables": {"A1": "b"}})
third, error, _ = invoke(service, {"op": "env"})
assert third["env"]["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1024" and third["env"]["A1"] == "b", third
assert third["files"] == ["bootstrap", "two"], third
wait_until(lambda: not os.path.exists(first["cwd"]))  # the replaced package
revision = service.get_function_configuration(FunctionName="f")["RevisionId"]
sha = service.update_function_code(FunctionName="f", ZipFile=package([("three", "", 0o644)]), DryRun=True)["CodeSha256"]
kept = service.get_function_configuration(FunctionName="f")
assert kept["CodeSha256"] != sha and kept["RevisionId"] == revision, "a dry run changed the function"
assert invoke(service, {"op": "env"})[0]["files"] == ["bootstrap", "two"]
expect_error("PreconditionFailedException", 412, service.update_function_code, FunctionName="f", ZipFile=package(),
             RevisionId="other")
expect_error("InvalidParameterValueException", 400, service.update_function_code, FunctionName="f", ZipFile=package(),
             Publish=True)
expect_error("InvalidParameterValueException", 400, service.update_function_configuration, FunctionName="f",
             Layers=["arn:aws:lambda:us-east-1:000000000000:layer:l:1"])
expect_error("InvalidParameterValueException", 400, create, service, "tagged", Tags={"a": "b"})
expect_error("InvalidParameterValueException", 400, create, service, "scoped", environment={"FUNCPIPE_STORE_SCOPE": "no"})
config = service.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=1)
assert config["MaximumRetryAttempts"] == 1
assert service.get_function_event_invoke_config(FunctionName="f")["MaximumRetryAttempts"] == 1
)");
}

TEST(LambdaApi, FindsFunctionsAfterRestart) {
  TestFolder folder;
  {
    LambdaHarness harness(folder.path(), test_platform());
    EXPECT_SCRIPT(harness, folder.path(), "create(client(), 'kept', environment={'COLOUR': 'blue'})");
  }
  // A creation that a kill interrupted.
  ASSERT_TRUE(make_owned_folder(folder.path() / "functions" / "half-made" / "package-0123456789ab"));
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
answer, error, _ = invoke(client(), {"op": "env"}, "kept")
assert error is None and answer["env"]["COLOUR"] == "blue", answer
)");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "functions" / "half-made"));
}

// They unpacked into the marked folder itself, and put the mark beside it.
TEST(LambdaApi, FindsAndRemovesFunctionsOfEarlierReleases) {
  TestFolder folder;
  {
    LambdaHarness harness(folder.path(), test_platform());
    EXPECT_SCRIPT(harness, folder.path(), "create(client(), 'kept', environment={'COLOUR': 'blue'})");
  }
  const auto home = folder.path() / "functions" / "kept";
  auto json = nlohmann::json::parse(read_file(home / "function.json").value());
  const auto package = home / std::filesystem::path(json["package"].get<std::string>()).parent_path();
  ASSERT_TRUE(is_owned_folder(package));
  std::filesystem::rename(package / "files", home / "package-0123456789ab");
  std::filesystem::remove_all(package);
  json["package"] = "package-0123456789ab";
  ASSERT_TRUE(write_file(home / "function.json", json.dump()));
  ASSERT_TRUE(write_file(home / "package-0123456789ab.funcpipe-made",
                         "The emulator of FuncPipe made the folder beside this file and will remove it.\n"));
  LambdaHarness harness(folder.path(), test_platform());
  EXPECT_SCRIPT(harness, folder.path(), R"(
service = client()
answer, error, _ = invoke(service, {"op": "env"}, "kept")
assert error is None and answer["env"]["COLOUR"] == "blue", answer
service.delete_function(FunctionName="kept")
wait_until(lambda: not os.path.exists(FOLDER + "/functions/kept") or not os.listdir(FOLDER + "/functions/kept"))
)");
}

TEST(LambdaApi, SaysWhichDescriptionIsCorrupt) {
  TestFolder folder;
  ASSERT_TRUE(write_file(folder.path() / "functions" / "f" / "function.json", "{\"name\": 3}"));
  boost::asio::io_context context;
  boost::asio::thread_pool threads(1);
  CredentialTable table;
  Bill bill;
  LambdaOptions options;
  options.folder = folder.path();
  const auto server = LambdaServer::start(context, threads, options, table, bill);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::corrupt);
  EXPECT_THAT(server.error().place, HasSubstr("function.json"));
}

TEST(LambdaApi, ServesTheAwsCommandLine) {
  TestFolder folder;
  LambdaHarness harness(folder.path(), test_platform());
  ASSERT_EQ(run_script(folder.path(), harness.server().port(), harness.credentials(),
                       "open(FOLDER + '/f.zip', 'wb').write(package())")
                .status,
            0);
  const auto aws = [&](const std::string& arguments) {
    return run_command(
        fmt::format("cd '{}' && AWS_CONFIG_FILE=/dev/null AWS_PAGER= AWS_ACCESS_KEY_ID='{}' AWS_SECRET_ACCESS_KEY='{}' "
                    "AWS_DEFAULT_REGION=us-east-1 /usr/bin/aws --endpoint-url http://127.0.0.1:{} lambda {}",
                    folder.path().string(), harness.credentials().access_key_id,
                    harness.credentials().secret_access_key, harness.server().port(), arguments));
  };
  const auto made =
      aws("create-function --function-name cli --runtime provided.al2023 --handler bootstrap --memory-size 512 "
          "--role arn:aws:iam::000000000000:role/test --zip-file fileb://f.zip");
  EXPECT_EQ(made.status, 0) << made.output;
  const auto invoked = aws(
      "invoke --function-name cli --cli-binary-format raw-in-base64-out --payload '{\"op\":\"echo\",\"x\":5}' out.json "
      "|| true");
  const auto invoked_v1 = aws("invoke --function-name cli --payload '{\"op\":\"echo\",\"x\":5}' out.json || true");
  EXPECT_THAT(read_file(folder.path() / "out.json").value_or(""), HasSubstr("\"x\": 5"))
      << invoked.output << invoked_v1.output;
  const auto gone = aws("delete-function --function-name cli");
  EXPECT_EQ(gone.status, 0) << gone.output;
}

}  // namespace
}  // namespace funcpipe
