// Whether a plan can be played at all.
#pragma once

#include <optional>

#include "base/error.h"
#include "catalog/parameter_server.h"
#include "catalog/platform.h"
#include "plan/plan.h"
#include "schedule/memory.h"

namespace funcpipe {

// The plan's parameter server; nullopt: it has none. Errors: invalid_input (more than one stage; no server by that
// name; a synchronisation without a server).
Result<std::optional<ParameterServer>> server_of(const Plan& plan);

// The platform as the plan's functions meet it: a parameter server is their store (beside()). Errors: of server_of.
Result<Platform> platform_for(const Plan& plan, Platform platform);

// Refuses, with the reason and the way out, a plan that does not fit the model (fingerprint, cuts), that would leave a
// stage or a replica empty, that asks for memory the platform does not offer, whose stage cannot fit its memory, or
// whose parameter server there is not (server_of).
Result<> validate(const Plan& plan, const ModelDescription& model, const Platform& platform,
                  const TrainingState& state);

}  // namespace funcpipe
