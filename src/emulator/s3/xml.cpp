#include "emulator/s3/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <initializer_list>
#include <pugixml.hpp>

namespace funcpipe {
namespace {

std::string format_time(Seconds unix_seconds, const char* format) {
  const auto whole = static_cast<std::time_t>(std::floor(unix_seconds));
  std::tm utc{};
  gmtime_r(&whole, &utc);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &utc));
}

std::string without_quotes(std::string text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

bool is_text(const pugi::xml_node& node) {
  return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
}

std::string without_blanks(const std::string& text) {
  constexpr const char* kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Returns the root of a document: its only element, called `name`, without a DOCTYPE. Empty if there is none such.
pugi::xml_node root_of(pugi::xml_document& document, std::string_view xml, const char* name) {
  constexpr unsigned kHow = pugi::parse_default | pugi::parse_ws_pcdata | pugi::parse_doctype;
  if (!document.load_buffer(xml.data(), xml.size(), kHow)) return {};
  std::size_t elements = 0;
  for (const auto& node : document.children()) {
    if (node.type() == pugi::node_doctype) return {};
    if (node.type() == pugi::node_element) ++elements;
  }
  return elements == 1 ? document.child(name) : pugi::xml_node();
}

// True if `node` contains only elements with these names: each of `once` at most once, those of `many` any number of
// times.
bool holds_only(const pugi::xml_node& node, std::initializer_list<std::string_view> once,
                std::initializer_list<std::string_view> many = {}) {
  std::vector<std::string_view> seen;
  for (const auto& child : node.children()) {
    if (is_text(child)) {
      if (!without_blanks(child.value()).empty()) return false;
      continue;
    }
    const std::string_view name = child.name();
    if (std::find(many.begin(), many.end(), name) != many.end()) continue;
    if (std::find(once.begin(), once.end(), name) == once.end()) return false;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) return false;
    seen.push_back(name);
  }
  return true;
}

// Returns the text of the element `name` in `node`, joined where comments divide it. Empty if there is no such element,
// nullopt if it contains elements.
std::optional<std::string> text_of(const pugi::xml_node& node, const char* name) {
  std::string text;
  for (const auto& piece : node.child(name).children()) {
    if (!is_text(piece)) return {};
    text += piece.value();
  }
  return text;
}

std::optional<int> number_of(const std::string& digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return number;
}

}  // namespace

std::string xml_escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          escaped += fmt::format("&#x{:x};", static_cast<unsigned char>(c));
        } else {
          escaped += c;
        }
    }
  }
  return escaped;
}

std::string xml_time(Seconds unix_seconds) {
  return format_time(unix_seconds, "%Y-%m-%dT%H:%M:%S.000Z");
}
std::string http_time(Seconds unix_seconds) {
  return format_time(unix_seconds, "%a, %d %b %Y %H:%M:%S GMT");
}

std::string s3_document(std::string_view element, std::string_view content) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{0} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{1}</{0}>",
      element, content);
}

std::string error_xml(const S3ErrorDocument& error) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>{}<Resource>{}</Resource>"
      "<RequestId>{}</RequestId></Error>",
      xml_escape(error.code), xml_escape(error.message),
      error.region.empty() ? "" : fmt::format("<Region>{}</Region>", xml_escape(error.region)),
      xml_escape(error.resource), xml_escape(error.request_id));
}

std::optional<DeleteRequest> parse_delete_request(std::string_view xml) {
  pugi::xml_document document;
  const auto root = root_of(document, xml, "Delete");
  if (!root || !holds_only(root, {"Quiet"}, {"Object"})) return {};
  DeleteRequest deletion;
  if (root.child("Quiet")) {
    const std::string quiet = without_blanks(text_of(root, "Quiet").value_or(""));
    if (quiet != "true" && quiet != "false") return {};
    deletion.quiet = quiet == "true";
  }
  for (const auto& object : root.children("Object")) {
    if (!holds_only(object, {"Key", "ETag", "VersionId", "LastModifiedTime", "Size"})) return {};
    auto key = text_of(object, "Key"), etag = text_of(object, "ETag");
    if (!key || key->empty() || !etag) return {};
    DeleteRequest::Object wanted{std::move(*key), std::move(*etag), {}};
    for (const char* name : {"VersionId", "LastModifiedTime", "Size"})
      if (object.child(name)) wanted.other = name;
    deletion.objects.push_back(std::move(wanted));
  }
  return deletion;
}

std::optional<std::vector<CompletedPart>> parse_completed_parts(std::string_view xml) {
  pugi::xml_document document;
  const auto root = root_of(document, xml, "CompleteMultipartUpload");
  if (!root || !holds_only(root, {}, {"Part"})) return {};
  std::vector<CompletedPart> parts;
  for (const auto& part : root.children("Part")) {
    if (!holds_only(part, {"PartNumber", "ETag", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1",
                           "ChecksumSHA256"}))
      return {};
    const auto number = number_of(without_blanks(text_of(part, "PartNumber").value_or("")));
    if (!number) return {};
    parts.push_back({*number, without_quotes(without_blanks(text_of(part, "ETag").value_or(""))), {}});
    for (const auto& element : part.children())
      if (std::string_view(element.name()).starts_with("Checksum"))
        parts.back().checksums.emplace_back(element.name(), without_blanks(element.child_value()));
  }
  return parts;
}

std::optional<std::string> parse_location(std::string_view xml) {
  if (xml.empty()) return std::string();
  pugi::xml_document document;
  const auto root = root_of(document, xml, "CreateBucketConfiguration");
  if (!root || !holds_only(root, {"LocationConstraint"})) return {};
  auto location = text_of(root, "LocationConstraint");
  if (location) *location = without_blanks(*location);
  return location;
}

}  // namespace funcpipe
