#include "catalog/bill_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_complaint.h"

namespace funcpipe {
namespace {

Usage usage_from_json(const nlohmann::json& row) {
  Usage usage;
  row.at("invocations").get_to(usage.invocations);
  row.at("gb_seconds").get_to(usage.gb_seconds);
  row.at("vcpu_seconds").get_to(usage.vcpu_seconds);
  row.at("put").get_to(usage.put);
  row.at("get").get_to(usage.get);
  row.at("list").get_to(usage.list);
  row.at("delete").get_to(usage.remove);
  row.at("uploaded_bytes").get_to(usage.uploaded);
  row.at("downloaded_bytes").get_to(usage.downloaded);
  usage.rent = row.value("rent_dollars", 0.0);
  return usage;
}

}  // namespace

Result<Bill> bill_from_json(const nlohmann::json& json, const std::string& place) {
  try {
    if (const int version = json.at("version").get<int>(); version != kBillVersion)
      return fail(ErrorCode::corrupt,
                  fmt::format("bill format version {}, this program reads version {}", version, kBillVersion), place);
    Bill bill;
    for (const auto& [name, row] : json.at("by_function").items()) bill.by_function[name] = usage_from_json(row);
    return bill;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::corrupt, "not a bill: " + json_complaint(error), place);
  }
}

}  // namespace funcpipe
