// The S3 client against servers that answer wrongly, late or not at all. What it does with a right one is the business
// of the conformance suite, in which the emulator's tests enrol it.
#include "store/s3_store.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "store/digest.h"
#include "store/scripted_server.h"
#include "store/sigv4.h"

namespace funcpipe {
namespace {

std::unique_ptr<S3Store> store_at(const std::string& url, const std::function<void(S3Options&)>& change = {}) {
  S3Options options;
  options.endpoint.url = url;
  options.bucket = "bucket";
  options.credentials = {"AKID", "secret", "token"};
  options.retry.first_delay = 0.002;
  options.retry.seed = 1;
  if (change) change(options);
  auto store = S3Store::open(options);
  EXPECT_TRUE(store.has_value()) << describe(store.error());
  return std::move(*store);
}

std::string crc_of(std::string_view text) {
  return crc32c_header(crc32c(as_bytes(text)));
}

std::string xml_error(const std::string& code, const std::string& message) {
  return fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>{}</Message></Error>", code, message);
}

TEST(S3Store, RefusesBadOptions) {
  EXPECT_EQ(S3Store::open({}).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(S3Store::open({{"http://h"}, "", {}, {}, {}}).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(S3Store::open({{"http://h"}, "a/b", {}, {}, {}}).error().code, ErrorCode::invalid_input);
}

TEST(S3Store, SendsWhatS3Expects) {
  ScriptedServer server([](const auto&) { return reply(200); });
  const auto store = store_at(server.url());
  ASSERT_TRUE(store->put("a key/\xC3\xBC", "123456789", PutMode::create_if_absent).has_value());
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/bucket/a%20key/%C3%BC");
  EXPECT_EQ(request.body, "123456789");
  EXPECT_EQ(request.headers.at("if-none-match"), "*");
  EXPECT_EQ(request.headers.at("x-amz-checksum-crc32c"), "4waSgw==");
  EXPECT_EQ(request.headers.at("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(request.headers.at("x-amz-security-token"), "token");
  EXPECT_EQ("http://" + request.headers.at("host"), server.url());
  const auto authorization = parse_authorization(request.headers.at("authorization"));
  ASSERT_TRUE(authorization.has_value());
  EXPECT_EQ(authorization->service, "s3");
  // As a server would verify it.
  SignableRequest signable{request.method, request.target, "", {}, request.headers.at("x-amz-content-sha256")};
  for (const std::string& name : authorization->signed_headers) {
    signable.headers.emplace_back(name, request.headers.at(name));
  }
  EXPECT_EQ(signature_v4(signable, {"s3", "us-east-1", request.headers.at("x-amz-date")}, "secret"),
            authorization->signature);
}

TEST(S3Store, VirtualHostStylePutsTheBucketIntoTheHost) {
  ScriptedServer server([](const auto&) { return reply(200); });
  std::string url = server.url();
  url.replace(url.find("127.0.0.1"), 9, "localhost");  // "bucket.localhost" is loopback to libcurl (RFC 6761)
  const auto store = store_at(url, [](S3Options& options) { options.endpoint.path_style = false; });
  const auto outcome = store->put("key", "text");
  ASSERT_TRUE(outcome.has_value()) << describe(outcome.error());
  ASSERT_TRUE(store->bucket_exists().has_value());
  EXPECT_EQ(server.requests().at(0).target, "/key");
  EXPECT_TRUE(server.requests().at(0).headers.at("host").starts_with("bucket.localhost:"));
  EXPECT_EQ(server.requests().at(1).target, "/");
}

TEST(S3Store, AWebServerIsNoStore) {
  ScriptedServer server(
      [](const auto&) { return reply(200, "<html></html>", "Content-Type: text/html; charset=utf-8\r\n"); });
  const auto store = store_at(server.url());
  const auto outcome = store->put("key", "text");
  ASSERT_FALSE(outcome);
  const auto bucket = store->create_bucket();
  ASSERT_FALSE(bucket);
  for (const Error& error : {outcome.error(), bucket.error()}) {
    EXPECT_NE(error.message.find("no S3 there"), std::string::npos) << error.message;
    EXPECT_NE(error.hint, "");
  }
  EXPECT_EQ(server.requests().size(), 2U) << "once each";
}

TEST(S3Store, ARedirectionNamesWhereItPointsAndTheRegion) {
  for (const int status : {301, 307}) {
    ScriptedServer server([&](const auto& request) {
      return reply(status, xml_error("PermanentRedirect", "elsewhere"),
                   request.number == 0 ? "Location: http://elsewhere/key\r\n"
                                       : "Location: http://elsewhere/key\r\nx-amz-bucket-region: eu-west-3\r\n");
    });
    const auto store = store_at(server.url());
    const auto outcome = store->put("key", "text");
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().message.find("http://elsewhere/key"), std::string::npos) << outcome.error().message;
    EXPECT_NE(outcome.error().hint.find("http://elsewhere/key"), std::string::npos) << outcome.error().hint;
    const auto regional = store->put("key", "text");
    ASSERT_FALSE(regional);
    EXPECT_NE(regional.error().hint.find("eu-west-3"), std::string::npos) << regional.error().hint;
  }
}

TEST(S3Store, WhatSpeaksNoHttpIsSaidToBeThere) {
  ScriptedServer server([](const auto&) { return ScriptedReply{"SSH-2.0-OpenSSH_9.2\r\n", 0, true}; });
  const auto outcome = store_at(server.url())->put("key", "text");
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("something answers at " + server.url()), std::string::npos)
      << outcome.error().message;
  EXPECT_NE(outcome.error().message.find("does not speak HTTP"), std::string::npos);
  EXPECT_EQ(outcome.error().hint.find("Nobody"), std::string::npos);
  EXPECT_EQ(server.requests().size(), 1U) << "at once";
}

TEST(S3Store, RetriesWhatMayPass) {
  for (const int status : {429, 500, 502, 503, 504}) {
    ScriptedServer server([&](const auto& request) {
      return request.number < 2 ? reply(status, xml_error("SlowDown", "slow down")) : reply(200);
    });
    const auto store = store_at(server.url());
    const auto outcome = store->put("key", "text");
    ASSERT_TRUE(outcome.has_value()) << status << " " << describe(outcome.error());
    EXPECT_EQ(server.requests().size(), 3U);
    EXPECT_EQ(server.requests().back().body, "text") << "the body again, from its start";
    EXPECT_EQ(store->counts().put, 3);
    EXPECT_EQ(store->counts().retries, 2);
    EXPECT_EQ(store->counts().uploaded, 4);
  }
}

TEST(S3Store, GivesUpOnAnOverloadedServiceWithItsWords) {
  ScriptedServer server([](const auto&) { return reply(503, xml_error("SlowDown", "Please reduce your rate")); });
  const auto store = store_at(server.url(), [](S3Options& options) { options.retry.tries = 4; });
  const auto outcome = store->put("key", "text");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, ErrorCode::unavailable);
  EXPECT_NE(outcome.error().message.find("Please reduce your rate"), std::string::npos) << outcome.error().message;
  EXPECT_NE(outcome.error().message.find(server.url()), std::string::npos) << outcome.error().message;
  EXPECT_EQ(outcome.error().place, "s3://bucket/key");
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST(S3Store, ABudgetEndsRetriesOfAll) {
  ScriptedServer server([](const auto&) { return reply(500); });
  const auto store = store_at(server.url(), [](S3Options& options) {
    options.retry.tries = 3;
    options.retry.budget = 5;
  });
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(store->put("key", "text").has_value());
  EXPECT_EQ(server.requests().size(), 15U) << "ten first tries and five repeats";
}

TEST(S3Store, SendsMoreSlowlyOnceItWasRefused) {
  const SystemClock clock;
  for (const int status : {500, 503}) {
    ScriptedServer server([&](const auto& request) { return reply(request.number == 0 ? status : 200); });
    const auto store = store_at(server.url());
    const Seconds start = clock.now();
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(store->put("key", "text").has_value());
    if (status == 503) {
      EXPECT_GE(clock.now() - start, 0.8) << "from two requests a second on";
    } else {
      EXPECT_LE(clock.now() - start, 0.5) << "a failure is no sign of too many requests";
    }
  }
}

TEST(S3Store, WaitsAsLongAsItIsAsked) {
  ScriptedServer server(
      [](const auto& request) { return request.number == 0 ? reply(429, "", "Retry-After: 1\r\n") : reply(200); });
  const SystemClock clock;
  const Seconds start = clock.now();
  ASSERT_TRUE(store_at(server.url())->put("key", "text").has_value());
  EXPECT_GE(clock.now() - start, 0.99);
}

TEST(S3Store, RetriesCutConnections) {
  const std::string content(100000, 'x');
  ScriptedServer server([&](const auto& request) -> ScriptedReply {
    if (request.number == 0) return {"", 0, true};
    if (request.number == 1) return {"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nxxx", 0, true};
    return reply(200, content);
  });
  const auto store = store_at(server.url());
  const auto text = store->get_text("key");
  ASSERT_TRUE(text.has_value()) << describe(text.error());
  EXPECT_EQ(**text, content);
  EXPECT_EQ(store->counts().downloaded, 100000);
}

TEST(S3Store, NamesTheEndpointThatDoesNotAnswer) {
  std::string url;
  {
    const ScriptedServer server([](const auto&) { return reply(200); });
    url = server.url();
  }
  const auto store = store_at(url, [](S3Options& options) { options.retry.total_loopback_refused = 0.2; });
  const auto outcome = store->put("key", "text");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, ErrorCode::unavailable);
  EXPECT_NE(outcome.error().message.find(url), std::string::npos) << outcome.error().message;
  EXPECT_NE(outcome.error().hint.find("emulator"), std::string::npos) << outcome.error().hint;
  EXPECT_EQ(outcome.error().place, "PUT s3://bucket/key");
}

TEST(S3Store, ASlowServerIsATimeoutThatSaysOfWhat) {
  ScriptedServer server([](const auto&) { return ScriptedReply{reply(200).raw, 30}; });
  const auto store = store_at(server.url(), [](S3Options& options) {
    options.limits.overall = 0.2;
    options.retry.tries = 2;
  });
  const auto text = store->get_text("some/key");
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(text.error().code, ErrorCode::timeout);
  EXPECT_EQ(text.error().place, "GET s3://bucket/some/key");
  EXPECT_NE(text.error().message.find(server.url()), std::string::npos) << text.error().message;
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(S3Store, AViewEndsWithItsStopWhateverTheServiceDoes) {
  ScriptedServer silent([](const auto&) { return ScriptedReply{reply(200).raw, 60}; });
  ScriptedServer busy([](const auto&) { return reply(503); });
  for (const std::string& url : {silent.url(), busy.url()}) {
    const auto store = store_at(url);
    std::stop_source source;
    const auto view = store->until(source.get_token());
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      source.request_stop();
    });
    const SystemClock clock;
    const Seconds start = clock.now();
    const auto put = view->put("key", "text");
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, ErrorCode::cancelled) << describe(put.error());
    EXPECT_LT(clock.now() - start, 2);
    EXPECT_FALSE(view->get_text("key"));
    EXPECT_FALSE(view->size("key"));
    EXPECT_FALSE(view->list(""));
    const std::string key = "key";
    EXPECT_FALSE(view->remove(std::span(&key, 1)));
    EXPECT_LT(clock.now() - start, 3);
  }
}

TEST(S3Store, ADiskThatIsFullForAMomentIsTriedAgain) {
  ScriptedServer server([](const auto& request) { return reply(request.number < 3 ? 507 : 200); });
  const auto store = store_at(server.url());
  const auto put = store->put("key", "text");
  ASSERT_TRUE(put) << describe(put.error());
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST(S3Store, ASizeThatIsNoNumberIsACorruptAnswer) {
  for (const char* length : {"99999999999999999999", "12x"}) {
    ScriptedServer server([&](const auto&) {
      return ScriptedReply{fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", length)};
    });
    const auto store = store_at(server.url(), [](S3Options& options) { options.retry.tries = 1; });
    EXPECT_FALSE(store->size("key")) << length;
  }
}

TEST(S3Store, VerifiesWhatItReads) {
  const std::string right = "the right bytes", wrong = "the wrong bytes";
  int bad_answers = 1;
  ScriptedServer server([&](const auto& request) {
    return reply(200, request.number < bad_answers ? wrong : right, "x-amz-checksum-crc32c: " + crc_of(right) + "\r\n");
  });
  const auto store = store_at(server.url());
  const auto text = store->get_text("key");
  ASSERT_TRUE(text.has_value()) << describe(text.error());
  EXPECT_EQ(**text, right) << "once corrupt on the way, right the second time";
  EXPECT_EQ(server.requests().at(0).headers.at("x-amz-checksum-mode"), "ENABLED");

  bad_answers = 1000;
  const auto corrupt = store->get_text("key");
  ASSERT_FALSE(corrupt.has_value());
  EXPECT_EQ(corrupt.error().code, ErrorCode::corrupt);
  EXPECT_EQ(corrupt.error().place, "s3://bucket/key");
}

TEST(S3Store, ChecksumsOfPartsAndRangesAreNotTheBodys) {
  ScriptedServer server([&](const auto& request) {
    return reply(request.headers.count("range") ? 206 : 200, "12345", "x-amz-checksum-crc32c: AAAAAA==-3\r\n");
  });
  const auto store = store_at(server.url());
  EXPECT_EQ(*store->get_text("key"), "12345");
  std::string part(5, ' ');
  const auto bytes = store->get(
      "key", [&](Bytes) -> Result<MutableBytes> { return std::as_writable_bytes(std::span(part)); }, ByteRange{3, 5});
  ASSERT_TRUE(bytes.has_value()) << describe(bytes.error());
  EXPECT_EQ(server.requests().back().headers.at("range"), "bytes=3-7");
}

TEST(S3Store, RefusesARangeOfAnotherLength) {
  ScriptedServer server([](const auto&) { return reply(200, "the whole object, range ignored"); });
  bool asked = false;
  const auto bytes = store_at(server.url())
                         ->get(
                             "key",
                             [&](Bytes) -> Result<MutableBytes> {
                               asked = true;
                               return MutableBytes();
                             },
                             ByteRange{0, 5});
  ASSERT_FALSE(bytes.has_value());
  EXPECT_FALSE(asked) << "nothing may be written to memory meant for five bytes";
}

TEST(S3Store, TellsNoKeyFromNoBucketAndNoPermission) {
  ScriptedServer server([](const ScriptedRequest& request) {
    if (request.target == "/bucket/key") return reply(404, xml_error("NoSuchKey", "gone"));
    if (request.target == "/bucket/bucket") return reply(404, xml_error("NoSuchBucket", "no such bucket"));
    return reply(403, xml_error("SignatureDoesNotMatch", "The request signature does not match"));
  });
  const auto store = store_at(server.url());
  EXPECT_EQ(*store->get_text("key"), std::nullopt);
  EXPECT_EQ(store->get_text("bucket").error().code, ErrorCode::not_found);
  const auto denied = store->get_text("denied");
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().code, ErrorCode::permission_denied);
  EXPECT_NE(denied.error().message.find("SignatureDoesNotMatch"), std::string::npos);
  EXPECT_NE(denied.error().message.find("The request signature does not match"), std::string::npos);
  EXPECT_EQ(server.requests().size(), 3U) << "none of these is worth a second try";
  EXPECT_EQ(store->counts().get, 3) << "a missing key is billed too";
}

TEST(S3Store, ConditionalPuts) {
  ScriptedServer server([](const ScriptedRequest& request) {
    if (request.target == "/bucket/there") return reply(412, xml_error("PreconditionFailed", "there"));
    return request.number == 1 ? reply(409, xml_error("ConditionalRequestConflict", "race")) : reply(200);
  });
  const auto store = store_at(server.url());
  EXPECT_EQ(*store->put("there", "x", PutMode::create_if_absent), PutOutcome::already_there);
  EXPECT_EQ(*store->put("race", "x", PutMode::create_if_absent), PutOutcome::created);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(S3Store, ListsPageByPage) {
  ScriptedServer server([](const ScriptedRequest& request) {
    const bool second = request.target.find("continuation-token=next%2Fone%3D") != std::string::npos;
    return reply(200, fmt::format("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                                  "<EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>{}"
                                  "<Contents><Key>{}</Key><Size>7</Size></Contents></ListBucketResult>",
                                  !second, second ? "" : "<NextContinuationToken>next/one=</NextContinuationToken>",
                                  second ? "p/b%0A" : "p/a+%20"));
  });
  const auto store = store_at(server.url());
  const auto objects = store->list("p/");
  ASSERT_TRUE(objects.has_value()) << describe(objects.error());
  ASSERT_EQ(objects->size(), 2U);
  EXPECT_EQ((*objects)[0].key, "p/a+ ");
  EXPECT_EQ((*objects)[1].key, "p/b\n");
  EXPECT_EQ((*objects)[1].size, 7);
  EXPECT_EQ(store->counts().list, 2);
}

TEST(S3Store, AListThatIsNoXmlIsCorrupt) {
  for (const std::string body :
       {"", "not xml", "<Other/>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>"}) {
    ScriptedServer server([&](const auto&) { return reply(200, body); });
    const auto objects = store_at(server.url())->list("");
    ASSERT_FALSE(objects.has_value()) << body;
    EXPECT_EQ(objects.error().code, ErrorCode::corrupt);
  }
}

TEST(S3Store, RemovesInBatchesAndReportsWhatStayed) {
  bool fail_one = false;
  ScriptedServer server([&](const auto&) {
    return reply(200, fail_one ? "<DeleteResult><Error><Key>k5</Key><Code>AccessDenied</Code><Message>no</Message>"
                                 "</Error></DeleteResult>"
                               : "<DeleteResult/>");
  });
  const auto store = store_at(server.url());
  std::vector<std::string> keys;
  for (int i = 0; i < 2500; ++i) keys.push_back("k" + std::to_string(i) + "<&>");
  ASSERT_TRUE(store->remove(keys).has_value());
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].target, "/bucket?delete=");
  EXPECT_EQ(requests[0].headers.at("content-md5"), base64(md5(requests[0].body)));
  EXPECT_NE(requests[0].body.find("<Key>k0&lt;&amp;&gt;</Key>"), std::string::npos);
  fail_one = true;
  const auto failed = store->remove(std::span(keys).first(10));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::permission_denied);
  EXPECT_EQ(failed.error().place, "s3://bucket/k5");
}

TEST(S3Store, CreatesBuckets) {
  int status = 200;
  std::string code;
  ScriptedServer server([&](const auto&) { return reply(status, xml_error(code, "")); });
  EXPECT_TRUE(store_at(server.url())->create_bucket().has_value());
  EXPECT_EQ(server.requests().back().body, "");
  const auto abroad = store_at(server.url(), [](S3Options& options) { options.endpoint.region = "eu-west-1"; });
  EXPECT_TRUE(abroad->create_bucket().has_value());
  EXPECT_NE(server.requests().back().body.find("<LocationConstraint>eu-west-1<"), std::string::npos);
  status = 409;
  code = "BucketAlreadyOwnedByYou";
  EXPECT_TRUE(abroad->create_bucket().has_value());
  code = "BucketAlreadyExists";
  EXPECT_EQ(abroad->create_bucket().error().code, ErrorCode::already_exists);
}

}  // namespace
}  // namespace funcpipe
