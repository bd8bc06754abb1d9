#include "emulator/s3/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>

namespace funcpipe {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// `list` has the form "a", W/"b".
bool any_matches(std::string_view list, const StoredObject& object) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (tag_matches(list.substr(0, comma), object)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// Parses a date in any of HTTP's three forms and returns seconds since 1970. A text that is no date makes no condition.
std::optional<double> parse_date(std::string_view text) {
  for (const char* form : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm utc{};
    const std::string copy(text);
    const char* end = ::strptime(copy.c_str(), form, &utc);
    if (end && *end == '\0') return static_cast<double>(::timegm(&utc));
  }
  return {};
}

// Clients are told an object's time in whole seconds, so the fraction is dropped.
bool modified_after(const StoredObject& object, double date) {
  return std::floor(object.modified) > date;
}

std::optional<Refusal> refuse_unknown(const HttpRequest& request, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (request.has_header(name))
      return Refusal{501, "NotImplemented",
                     fmt::format("A header you provided implies functionality that is not implemented: {}", name)};
  return {};
}

}  // namespace

Refusal precondition_failed() {
  return {412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"};
}

bool tag_matches(std::string_view tag, const StoredObject& object) {
  tag = trimmed(tag);
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') tag = tag.substr(1, tag.size() - 2);
  return tag == "*" || tag == object.etag;
}

ReadVerdict judge_read(const HttpRequest& request, const StoredObject& object) {
  if (request.has_header("if-match")) {
    if (!any_matches(request.header("if-match"), object)) return ReadVerdict::failed;
  } else if (const auto date = parse_date(request.header("if-unmodified-since"));
             date && modified_after(object, *date)) {
    return ReadVerdict::failed;
  }
  if (request.has_header("if-none-match")) {
    if (any_matches(request.header("if-none-match"), object)) return ReadVerdict::not_modified;
  } else if (const auto date = parse_date(request.header("if-modified-since"));
             date && !modified_after(object, *date)) {
    return ReadVerdict::not_modified;
  }
  return ReadVerdict::send;
}

bool range_applies(const HttpRequest& request, const StoredObject& object) {
  if (!request.has_header("if-range")) return true;
  const auto validator = request.header("if-range");
  if (const auto date = parse_date(validator)) return std::floor(object.modified) == *date;
  return validator != "*" && !validator.starts_with("W/") && tag_matches(validator, object);
}

std::optional<Refusal> judge_write(const HttpRequest& request, const StoredObject* current) {
  if (auto refusal = refuse_unknown(request, {"if-modified-since", "if-unmodified-since"})) return refusal;
  if (const auto unless = request.header("if-none-match"); request.has_header("if-none-match")) {
    if (unless != "*" || request.has_header("if-match"))
      return Refusal{501, "NotImplemented",
                     "A header you provided implies functionality that is not implemented: "
                     "if-none-match other than *"};
    if (current) return precondition_failed();
  }
  if (request.has_header("if-match")) {
    if (!current) return Refusal{404, "NoSuchKey", "The specified key does not exist."};
    if (!any_matches(request.header("if-match"), *current)) return precondition_failed();
  }
  return {};
}

std::optional<Refusal> judge_delete(const HttpRequest& request, const StoredObject* current) {
  if (auto refusal = refuse_unknown(request, {"if-none-match", "if-modified-since", "if-unmodified-since"}))
    return refusal;
  if (request.has_header("if-match") && current && !any_matches(request.header("if-match"), *current))
    return precondition_failed();
  return {};
}

}  // namespace funcpipe
