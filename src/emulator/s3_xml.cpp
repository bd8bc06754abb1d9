#include "emulator/s3_xml.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>
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
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><Resource>{}</Resource>"
      "<RequestId>{}</RequestId></Error>",
      xml_escape(error.code), xml_escape(error.message), xml_escape(error.resource), xml_escape(error.request_id));
}

std::optional<DeleteOrder> parse_delete_order(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata)) return {};
  const auto root = document.child("Delete");
  if (!root) return {};
  DeleteOrder order;
  order.quiet = std::string_view(root.child_value("Quiet")) == "true";
  for (const auto& object : root.children("Object")) {
    DeleteOrder::Object wanted{object.child_value("Key"), object.child_value("ETag"), {}};
    for (const auto& element : object.children()) {
      const std::string_view name = element.name();
      if (element.type() == pugi::node_element && name != "Key" && name != "ETag") wanted.other = name;
    }
    order.objects.push_back(std::move(wanted));
  }
  return order;
}

std::optional<std::vector<CompletedPart>> parse_completed_parts(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return {};
  const auto root = document.child("CompleteMultipartUpload");
  if (!root) return {};
  std::vector<CompletedPart> parts;
  for (const auto& part : root.children("Part")) {
    parts.push_back({part.child("PartNumber").text().as_int(), without_quotes(part.child_value("ETag")), {}});
    for (const auto& element : part.children())
      if (std::string_view(element.name()).starts_with("Checksum"))
        parts.back().checksums.emplace_back(element.name(), element.child_value());
  }
  return parts;
}

std::optional<std::string> parse_location(std::string_view xml) {
  if (xml.empty()) return std::string();
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return {};
  const auto root = document.child("CreateBucketConfiguration");
  if (!root) return {};
  for (const auto& element : root.children())
    if (element.type() == pugi::node_element && std::string_view(element.name()) != "LocationConstraint") return {};
  return std::string(root.child_value("LocationConstraint"));
}

}  // namespace funcpipe
