// A plan as a file: docs/formats/plan.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "plan/plan.h"

namespace funcpipe {

nlohmann::json to_json(const Plan& plan);
// Error: invalid_input at `place`: a key, a value, a synchronisation algorithm or a parameter server that is not right.
Result<Plan> plan_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
