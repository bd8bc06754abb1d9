// Reads a bill that was written down (docs/formats/bill.md).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "catalog/bill.h"

namespace funcpipe {

inline constexpr int kBillVersion = 1;

// The dollars of requests and computing follow from the usage and are not read. Error: corrupt: no bill, or one of
// another version.
Result<Bill> bill_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
