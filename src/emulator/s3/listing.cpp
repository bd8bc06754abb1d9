#include "emulator/s3/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "emulator/s3/xml.h"
#include "store/digest.h"
#include "store/uri.h"

namespace funcpipe {
namespace {

constexpr int kMostKeys = 1000;

struct Wanted {
  bool second_version = true;
  std::string prefix, delimiter;
  std::string after;         // earlier pages have listed all entries up to and including this one
  bool after_group = false;  // `after` is a common prefix, so all keys that start with it were listed, too
  int max_keys = kMostKeys;
  bool url_encoded = false;
  bool owners = false;  // whether the answer names the owners
};

struct Page {
  std::vector<SharedObject> objects;
  std::vector<std::string> groups;  // common prefixes
  bool truncated = false;
  std::string last;
  bool last_is_group = false;
};

// Returns the least text that is greater than every text starting with `prefix`; nullopt if there is none.
std::optional<std::string> after_all(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return {};
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

ObjectFolder::Objects::const_iterator skip_group(const ObjectFolder::Objects& objects, const std::string& group) {
  const auto next = after_all(group);
  return next ? objects.lower_bound(*next) : objects.end();
}

Page collect(const Wanted& wanted, const ObjectFolder::Objects& objects) {
  Page page;
  auto at = objects.lower_bound(wanted.prefix);
  if (wanted.after >= wanted.prefix && !wanted.after.empty())
    at = wanted.after_group ? skip_group(objects, wanted.after) : objects.upper_bound(wanted.after);
  int count = 0;
  while (at != objects.end() && at->first.starts_with(wanted.prefix)) {
    if (count == wanted.max_keys) {
      page.truncated = wanted.max_keys > 0;
      break;
    }
    ++count;
    const auto cut =
        wanted.delimiter.empty() ? std::string::npos : at->first.find(wanted.delimiter, wanted.prefix.size());
    page.last_is_group = cut != std::string::npos;
    if (page.last_is_group) {
      page.last = at->first.substr(0, cut + wanted.delimiter.size());
      page.groups.push_back(page.last);
      at = skip_group(objects, page.last);
    } else {
      page.last = at->first;
      page.objects.push_back(at->second);
      ++at;
    }
  }
  return page;
}

tl::expected<Wanted, Refusal> parse(const HttpRequest& request) {
  Wanted wanted;
  const auto text = [&](std::string_view name) { return std::string(request.parameter(name).value_or("")); };
  wanted.second_version = text("list-type") == "2";
  wanted.prefix = text("prefix");
  wanted.delimiter = text("delimiter");
  wanted.url_encoded = text("encoding-type") == "url";
  if (!wanted.url_encoded && !text("encoding-type").empty())
    return refuse(400, "InvalidArgument", "Invalid Encoding Method specified in Request");
  wanted.owners = !wanted.second_version || text("fetch-owner") == "true";
  if (const auto most = request.parameter("max-keys"); most && !most->empty()) {
    int number = -1;
    const auto [end, error] = std::from_chars(most->data(), most->data() + most->size(), number);
    if (error != std::errc() || end != most->data() + most->size() || number < 0)
      return refuse(400, "InvalidArgument", "max-keys must be a number from 0 on");
    wanted.max_keys = std::min(number, kMostKeys);
  }
  if (!wanted.second_version) {
    wanted.after = text("marker");
    wanted.after_group = !wanted.delimiter.empty() && wanted.after.ends_with(wanted.delimiter);
    return wanted;
  }
  wanted.after = text("start-after");
  if (const auto token = request.parameter("continuation-token"); token && !token->empty()) {
    const auto decoded = from_base64(*token);
    if (!decoded || decoded->empty() || (decoded->front() != 'k' && decoded->front() != 'g'))
      return refuse(400, "InvalidArgument", "The continuation token provided is incorrect");
    wanted.after = decoded->substr(1);
    wanted.after_group = decoded->front() == 'g';
  }
  return wanted;
}

}  // namespace

tl::expected<std::string, Refusal> list_objects(const HttpRequest& request, const std::string& bucket,
                                                const ObjectFolder::Objects& objects) {
  const auto wanted = parse(request);
  if (!wanted) return tl::unexpected<Refusal>(wanted.error());
  const Page page = collect(*wanted, objects);

  const auto shown = [&](const std::string& key) {
    return wanted->url_encoded ? uri_encode(key, true) : xml_escape(key);
  };
  std::string xml;
  const auto element = [&](std::string_view name, std::string_view content) {
    fmt::format_to(std::back_inserter(xml), "<{0}>{1}</{0}>", name, content);
  };
  element("Name", xml_escape(bucket));
  element("Prefix", shown(wanted->prefix));
  if (!wanted->delimiter.empty()) element("Delimiter", shown(wanted->delimiter));
  element("MaxKeys", std::to_string(wanted->max_keys));
  if (wanted->url_encoded) element("EncodingType", "url");
  element("IsTruncated", page.truncated ? "true" : "false");
  if (wanted->second_version) {
    element("KeyCount", std::to_string(page.objects.size() + page.groups.size()));
    if (const auto token = request.parameter("continuation-token")) element("ContinuationToken", xml_escape(*token));
    if (const auto start = request.parameter("start-after")) element("StartAfter", shown(std::string(*start)));
    if (page.truncated) element("NextContinuationToken", base64((page.last_is_group ? "g" : "k") + page.last));
  } else {
    element("Marker", shown(wanted->after));
    if (page.truncated) element("NextMarker", shown(page.last));
  }
  for (const auto& object : page.objects) {
    xml += "<Contents>";
    element("Key", shown(object->key));
    element("LastModified", xml_time(object->modified));
    element("ETag", "&quot;" + object->etag + "&quot;");
    element("Size", std::to_string(object->size));
    element("StorageClass", "STANDARD");
    if (wanted->owners) element("Owner", "<ID>funcpipe</ID><DisplayName>funcpipe</DisplayName>");
    xml += "</Contents>";
  }
  for (const auto& group : page.groups) element("CommonPrefixes", "<Prefix>" + shown(group) + "</Prefix>");
  return s3_document("ListBucketResult", xml);
}

}  // namespace funcpipe
