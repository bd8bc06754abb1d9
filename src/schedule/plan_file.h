// Reads and writes plans as JSON. Format: docs/formats/plan.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "plan/plan.h"

namespace funcpipe {

nlohmann::json to_json(const Plan& plan);
// Error: invalid_input at `place`, for a wrong key or value, an unknown synchronisation algorithm or a wrong parameter
// server.
Result<Plan> plan_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
