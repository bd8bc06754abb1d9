#include "store/uri.h"

#include <gtest/gtest.h>

#include "store/credentials.h"
#include "store/digest.h"

namespace funcpipe {
namespace {

TEST(Uri, EncodesAllButTheUnreserved) {
  EXPECT_EQ(uri_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(uri_encode("a b/c+d%"), "a%20b%2Fc%2Bd%25");
  EXPECT_EQ(uri_encode("a b/c", true), "a%20b/c");
  EXPECT_EQ(uri_encode("\xC3\xBC"), "%C3%BC");
}

TEST(Uri, DecodesEveryByte) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(uri_decode(uri_encode(all)), all);
  EXPECT_EQ(uri_decode("a+b%2fc"), "a+b/c");
  EXPECT_EQ(uri_decode("100%"), "100%");
  EXPECT_EQ(uri_decode("%zz%4"), "%zz%4");
}

TEST(Uri, WritesQueries) {
  EXPECT_EQ(encode_query({}), "");
  EXPECT_EQ(encode_query({{"a", "1 2"}, {"b", ""}}), "a=1%202&b=");
}

TEST(Uri, TakesEndpointsApart) {
  const auto url = parse_url("http://127.0.0.1:9000");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, 9000);
  EXPECT_EQ(url->authority, "127.0.0.1:9000");
  EXPECT_TRUE(url->loopback());
  EXPECT_FALSE(url->secure());
  // libcurl leaves the scheme's own port out of the Host header, which is signed.
  EXPECT_EQ(parse_url("https://s3.amazonaws.com:443")->authority, "s3.amazonaws.com");
  EXPECT_EQ(parse_url("http://host:80")->authority, "host");
  EXPECT_EQ(parse_url("http://host:443")->authority, "host:443");
  EXPECT_EQ(parse_url("http://[::1]:9000")->authority, "[::1]:9000");
  EXPECT_TRUE(parse_url("http://[::1]")->loopback());
  EXPECT_FALSE(parse_url("http://s3.example.org")->loopback());
}

TEST(Uri, RefusesWhatIsNoEndpoint) {
  for (const char* text : {"", "127.0.0.1:9000", "ftp://host", "http://", "http://host/path", "http://host:0",
                           "http://host:70000", "http://host:port", "http://user@host", "http://:80"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url.has_value()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::invalid_input);
    EXPECT_FALSE(url.error().hint.empty());
  }
}

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(hex(sha256(std::string_view("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string a = "a", bc = "bc";
  const ConstBytes pieces[] = {as_bytes(a), as_bytes(bc)};
  EXPECT_EQ(sha256(pieces), sha256(std::string_view("abc")));
  EXPECT_EQ(hex(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  // RFC 4231, test case 2.
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(crc32c_header(0xE3069283U), "4waSgw==");  // CRC-32C of "123456789"
}

TEST(Digest, Base64ThereAndBack) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    const auto back = from_base64(base64(text));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, text);
  }
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_FALSE(from_base64("Zm9").has_value());
  EXPECT_FALSE(from_base64("Zm9*").has_value());
}

TEST(Credentials, ComeFromTheEnvironmentOrSayWhatIsMissing) {
  setenv("AWS_ACCESS_KEY_ID", "key", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
  setenv("AWS_SESSION_TOKEN", "token", 1);
  const auto credentials = credentials_from_environment();
  ASSERT_TRUE(credentials.has_value());
  EXPECT_EQ(credentials->access_key_id, "key");
  EXPECT_EQ(credentials->secret_access_key, "secret");
  EXPECT_EQ(credentials->session_token, "token");
  unsetenv("AWS_SESSION_TOKEN");
  EXPECT_EQ(credentials_from_environment()->session_token, "");
  unsetenv("AWS_SECRET_ACCESS_KEY");
  const auto missing = credentials_from_environment();
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::permission_denied);
  EXPECT_NE(missing.error().message.find("AWS_SECRET_ACCESS_KEY"), std::string::npos);
}

}  // namespace
}  // namespace funcpipe
