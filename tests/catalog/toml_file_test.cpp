#include "catalog/toml_file.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

std::string chain(int parts, const std::string& part = "a", const std::string& dot = ".") {
  std::string key = part;
  for (int i = 1; i < parts; ++i) key += dot + part;
  return key;
}

TEST(TomlFile, AKeyWithoutEndIsRefusedBeforeItIsFollowed) {
  const std::string key = chain(100'000);
  for (const std::string& text :
       {"\n" + key + " = 1", "\n[" + key + "]", "\n[[" + key + "]]", "\nx = {" + key + " = 1}",
        "\n" + chain(100'000, "\"a\"", " . ") + " = 1", "\nx = {y = \"\"\"b\"\"\"\"\", " + key + " = 1}",
        "\nx = 'it''s', # " + key + "\n" + key + " = 1", "\nx = {y = '''b'''', " + key + " = 1}"}) {
    const auto table = parse_toml(text, "job.toml");
    ASSERT_FALSE(table) << text.substr(0, 40);
    EXPECT_EQ(table.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(table.error().place.substr(0, 9), "job.toml:") << text.substr(0, 40);
  }
  const auto refused = parse_toml("\n" + key + " = 1", "job.toml");
  EXPECT_EQ(refused.error().place, "job.toml:2:64");
  EXPECT_NE(refused.error().hint, "");
}

TEST(TomlFile, DotsElsewhereAreNotCounted) {
  std::string numbers = "0.5";
  for (int i = 0; i < 1000; ++i) numbers += ", 0.5";
  const auto table = parse_toml("x = [" + numbers + "]\ny = \"" + chain(1000) + "\" # " + chain(1000) + "\n" +
                                    "z = '''\n" + chain(1000) + "\n'''\n" + chain(32, "b") + " = 1",
                                "job.toml");
  ASSERT_TRUE(table) << describe(table.error());
  EXPECT_EQ((*table)["x"].as_array()->size(), 1001u);
}

TEST(TomlFile, WhatIsNoTomlNamesItsPlace) {
  const auto table = parse_toml("x = 1\ny =\n", "job.toml");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().place.substr(0, 11), "job.toml:2:");
  EXPECT_NE(table.error().message.find("not valid TOML"), std::string::npos);
}

}  // namespace
}  // namespace funcpipe
