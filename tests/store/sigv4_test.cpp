// Our signatures against botocore's own signers, run by the system's Python.
#include "store/sigv4.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "store/digest.h"
#include "store/uri.h"

namespace funcpipe {
namespace {

const Credentials kCredentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
constexpr Seconds kTime = 1785000000;  // 2026-07-25T17:20:00Z

// The published example "GET Object" of the Amazon S3 API reference, "Examples: Signature Calculations".
TEST(SigV4, MatchesTheExampleOfTheS3Reference) {
  const std::string empty_hash = hex(sha256(std::string_view()));
  const SignableRequest request{"GET",
                                "/test.txt",
                                "",
                                {{"Host", "examplebucket.s3.amazonaws.com"},
                                 {"Range", "bytes=0-9"},
                                 {"x-amz-content-sha256", empty_hash},
                                 {"x-amz-date", "20130524T000000Z"}},
                                empty_hash};
  const Credentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  EXPECT_EQ(authorization_v4(request, {"s3", "us-east-1", "20130524T000000Z"}, credentials),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

struct Case {
  std::string service, method, path, query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool unsigned_payload = false;
  std::string session_token;
};

std::vector<Case> cases() {
  const std::string s3_host = "127.0.0.1:9000", lambda_host = "lambda.eu-west-1.amazonaws.com";
  std::vector<Case> all{
      {"s3", "GET", "/bucket/key", "", {{"Host", s3_host}}, ""},
      {"s3",
       "PUT",
       "/bucket/" + uri_encode("a b+c%/d=e&f?g#h/\xC3\xBC~*'()!", true),
       "",
       {{"Host", s3_host}, {"If-None-Match", "*"}, {"x-amz-checksum-crc32c", "AAAAAA=="}},
       "some body",
       true},
      {"s3", "PUT", "/bucket/a//b/../c/./d", "", {{"Host", s3_host}}, std::string("\0\1\2", 3)},
      {"s3",
       "GET",
       "/bucket",
       encode_query({{"list-type", "2"},
                     {"prefix", "a b/\xC3\xBC+&="},
                     {"continuation-token", "x/y=="},
                     {"encoding-type", "url"}}),
       {{"Host", s3_host}},
       "",
       true},
      {"s3",
       "POST",
       "/bucket",
       "delete=",
       {{"Host", s3_host}, {"Content-MD5", base64(md5("<Delete/>"))}, {"Content-Type", "application/xml"}},
       "<Delete/>"},
      {"s3",
       "GET",
       "/",
       "",
       {{"Host", "bucket.s3.eu-west-1.amazonaws.com"}, {"Range", "bytes=5-9"}},
       "",
       true,
       "FwoGZXIvYXdzEJr//////token=="},
      {"s3",
       "HEAD",
       "/key",
       "",
       {{"Host", "bucket.s3.amazonaws.com"}, {"x-amz-meta-text", "  two   spaces inside  "}},
       ""},
      {"lambda",
       "POST",
       "/2015-03-31/functions",
       "",
       {{"Host", lambda_host}, {"Content-Type", "application/json"}},
       "{\"FunctionName\": \"f\"}"},
      {"lambda",
       "POST",
       "/2015-03-31/functions/" + uri_encode("arn:aws:lambda:us-east-1:1:function:f") + "/invocations",
       "",
       {{"Host", lambda_host}, {"X-Amz-Invocation-Type", "Event"}, {"X-Amz-Log-Type", "Tail"}},
       "payload",
       false,
       "session/token+="},
      {"lambda",
       "GET",
       "/2015-03-31/functions/name_1-2",
       "Qualifier=" + uri_encode("$LATEST"),
       {{"Host", lambda_host}},
       ""},
      {"lambda", "DELETE", "/2015-03-31/functions/name", "", {{"Host", "127.0.0.1:9001"}}, ""},
  };
  return all;
}

bool has_botocore() {
  return std::system("/usr/bin/python3 -c 'import botocore' >/dev/null 2>&1") == 0;
}

// For each case, the Authorization header that botocore would send.
nlohmann::json botocore_answers(const nlohmann::json& questions) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("funcpipe-sigv4-{}", getpid());
  EXPECT_TRUE(write_file(folder / "cases.json", questions.dump()).has_value());
  const std::string command =
      fmt::format("/usr/bin/python3 {}/tests/store/botocore_signatures.py {} > {}", FUNCPIPE_SOURCE_DIR,
                  (folder / "cases.json").string(), (folder / "answers.json").string());
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  auto answers = read_json(folder / "answers.json");
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(answers.has_value());
  return answers ? *answers : nlohmann::json();
}

TEST(SigV4, MatchesBotocore) {
  if (!has_botocore()) GTEST_SKIP() << "botocore is not installed (python3-botocore)";
  nlohmann::json questions = nlohmann::json::array();
  std::vector<std::string> ours;
  for (const Case& one : cases()) {
    const std::string hash = one.unsigned_payload ? std::string(kUnsignedPayload) : hex(sha256(one.body));
    const SigningScope scope{one.service, "eu-west-1", amz_time(kTime)};
    SignableRequest request{one.method, one.path, one.query, one.headers, hash};
    request.headers.emplace_back("X-Amz-Date", scope.time);
    if (one.service == "s3") request.headers.emplace_back("X-Amz-Content-SHA256", hash);
    if (!one.session_token.empty()) request.headers.emplace_back("X-Amz-Security-Token", one.session_token);
    ours.push_back(authorization_v4(request, scope, kCredentials));
    questions.push_back({{"service", one.service},
                         {"method", one.method},
                         {"path", one.path},
                         {"query", one.query},
                         {"headers", one.headers},
                         {"body", base64(one.body)},
                         {"unsigned_payload", one.unsigned_payload},
                         {"access_key", kCredentials.access_key_id},
                         {"secret_key", kCredentials.secret_access_key},
                         {"session_token", one.session_token},
                         {"time", static_cast<long>(kTime)},
                         {"region", "eu-west-1"}});
  }
  const nlohmann::json theirs = botocore_answers(questions);
  ASSERT_EQ(theirs.size(), ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_EQ(ours[i], theirs[i].get<std::string>()) << questions[i].dump(1);
}

TEST(SigV4, EveryPartIsSigned) {
  const SigningScope scope{"s3", "us-east-1", amz_time(kTime)};
  const SignableRequest request{"GET", "/b/k", "a=1", {{"host", "h"}, {"x-amz-date", scope.time}}, "hash"};
  std::set<std::string> signatures{signature_v4(request, scope, "secret")};
  const auto expect_new = [&](const std::string& signature, const char* what) {
    EXPECT_TRUE(signatures.insert(signature).second) << what;
  };
  SignableRequest other = request;
  other.method = "PUT";
  expect_new(signature_v4(other, scope, "secret"), "method");
  other = request;
  other.path = "/b/K";
  expect_new(signature_v4(other, scope, "secret"), "path");
  other = request;
  other.query = "a=2";
  expect_new(signature_v4(other, scope, "secret"), "query");
  other = request;
  other.headers[0].second = "i";
  expect_new(signature_v4(other, scope, "secret"), "header");
  other = request;
  other.payload_hash = "hush";
  expect_new(signature_v4(other, scope, "secret"), "payload");
  expect_new(signature_v4(request, {"lambda", scope.region, scope.time}, "secret"), "service");
  expect_new(signature_v4(request, {"s3", "eu-west-1", scope.time}, "secret"), "region");
  expect_new(signature_v4(request, scope, "Secret"), "secret");
}

TEST(SigV4, ParsesWhatItWrites) {
  const SigningScope scope{"s3", "us-east-1", amz_time(kTime)};
  const SignableRequest request{"GET", "/", "", {{"Host", "h"}, {"X-Amz-Date", scope.time}}, "hash"};
  const auto parsed = parse_authorization(authorization_v4(request, scope, {"KEY/WITH/SLASH", "secret", ""}));
  ASSERT_TRUE(parsed.has_value()) << describe(parsed.error());
  EXPECT_EQ(parsed->access_key_id, "KEY/WITH/SLASH");
  EXPECT_EQ(parsed->date, "20260725");
  EXPECT_EQ(parsed->region, "us-east-1");
  EXPECT_EQ(parsed->service, "s3");
  EXPECT_EQ(parsed->signed_headers, (std::vector<std::string>{"host", "x-amz-date"}));
  EXPECT_EQ(parsed->signature, signature_v4(request, scope, "secret"));
}

TEST(SigV4, RefusesBrokenAuthorizations) {
  for (const char* text : {"", "Basic abc", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request",
                           "AWS4-HMAC-SHA256 Credential=short, SignedHeaders=host, Signature=00",
                           "AWS4-HMAC-SHA256 Credential=k/20260101/r/s3/aws3_request, SignedHeaders=host, Signature=00",
                           "AWS4-HMAC-SHA256 nonsense"}) {
    const auto parsed = parse_authorization(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::corrupt);
  }
}

}  // namespace
}  // namespace funcpipe
