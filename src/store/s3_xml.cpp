#include "store/s3_xml.h"

#include <pugixml.hpp>
#include <sstream>

#include "store/uri.h"

namespace funcpipe {
namespace {

constexpr const char* kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

// Keys may contain or consist of spaces, so the parser must keep text unchanged.
constexpr unsigned kParse = pugi::parse_default | pugi::parse_ws_pcdata_single;

std::string text_of(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw);
  return std::move(out).str();
}

Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml, const char* name) {
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size(), kParse);
  const pugi::xml_node root = document.child(name);
  if (!parsed || !root) {
    return fail(ErrorCode::corrupt, fmt::format("the answer is no {} document: {}", name,
                                                parsed ? "another root element" : parsed.description()));
  }
  return root;
}

}  // namespace

S3Error parse_s3_error(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), kParse)) return {};
  const pugi::xml_node error = document.child("Error");
  return {error.child_value("Code"), error.child_value("Message")};
}

std::string delete_request_xml(std::span<const std::string> keys) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("Delete");
  root.append_attribute("xmlns") = kNamespace;
  root.append_child("Quiet").text() = "true";
  for (const std::string& key : keys) root.append_child("Object").append_child("Key").text() = key.c_str();
  return text_of(document);
}

Result<std::vector<DeleteFailure>> parse_delete_result(std::string_view xml) {
  pugi::xml_document document;
  FUNCPIPE_TRY(root, root_of(document, xml, "DeleteResult"));
  std::vector<DeleteFailure> failures;
  for (const pugi::xml_node error : root.children("Error")) {
    failures.push_back({error.child_value("Key"), {error.child_value("Code"), error.child_value("Message")}});
  }
  return failures;
}

Result<ListPage> parse_list_page(std::string_view xml) {
  pugi::xml_document document;
  FUNCPIPE_TRY(root, root_of(document, xml, "ListBucketResult"));
  const bool encoded = std::string_view(root.child_value("EncodingType")) == "url";
  ListPage page;
  for (const pugi::xml_node object : root.children("Contents")) {
    const std::string key = object.child_value("Key");
    page.objects.push_back({encoded ? uri_decode(key) : key, object.child("Size").text().as_llong(-1)});
    if (page.objects.back().size < 0) return fail(ErrorCode::corrupt, "a listed object without Size: " + key);
  }
  if (root.child("IsTruncated").text().as_bool()) {
    page.continuation = root.child_value("NextContinuationToken");
    if (page.continuation.empty()) return fail(ErrorCode::corrupt, "a truncated list without NextContinuationToken");
  }
  return page;
}

std::string create_bucket_xml(std::string_view region) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CreateBucketConfiguration");
  root.append_attribute("xmlns") = kNamespace;
  root.append_child("LocationConstraint").text() = std::string(region).c_str();
  return text_of(document);
}

}  // namespace funcpipe
