// Checks whether a plan can be executed.
#pragma once

#include <optional>

#include "base/error.h"
#include "catalog/parameter_server.h"
#include "catalog/platform.h"
#include "plan/plan.h"
#include "schedule/memory.h"

namespace funcpipe {

// Returns the plan's parameter server; nullopt if it has none. Error: invalid_input if there is no server of that name,
// if the plan has several stages, or if it names a server that its synchronisation does not use.
Result<std::optional<ParameterServer>> server_of(const Plan& plan);

// Returns the platform as the plan's functions see it: if there is a parameter server, it is their store (beside()).
// Errors: those of server_of.
Result<Platform> platform_for(const Plan& plan, Platform platform);

// Checks a plan. Error: invalid_input, with the reason and a way out, if the plan is for another model (fingerprint,
// cuts), leaves a stage or a replica empty, has more functions than may run at once, asks for a size that the platform
// does not offer, has a stage that needs more than its memory (where the platform limits it), or names a wrong
// parameter server (server_of).
Result<> validate(const Plan& plan, const ModelDescription& model, const Platform& platform,
                  const TrainingState& state);

}  // namespace funcpipe
