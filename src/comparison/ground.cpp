#include "comparison/ground.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "base/nearest.h"
#include "profile/derive.h"
#include "schedule/memory.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServer = "c5.9xlarge";  // HybridPS's server in the FuncPipe paper, from memory.

fs::path profiles_folder() {
  return platforms_folder().parent_path() / "profiles";
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(profiles_folder(), none))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

Result<fs::path> profile_file(const std::string& model) {
  if (fs::path(model).extension() == ".json") return fs::path(model);
  const fs::path file = profiles_folder() / (model + ".json");
  if (fs::is_regular_file(file)) return file;
  const std::vector<std::string> names = model_names();
  const std::string meant = nearest(model, names);
  return fail(ErrorCode::not_found, fmt::format("there is no profile of a model named \"{}\"", model), {},
              meant.empty() ? fmt::format("there are {}; or name a profile's .json file", fmt::join(names, ", "))
                            : fmt::format("did you mean \"{}\"?", meant));
}

}  // namespace

PlanningTask Ground::task(int batch) const {
  PlanningTask task{profile, platform};
  task.state.optimizer_copies = optimizer_copies(profile.optimizer);
  task.global_batch = batch;
  task.accounting.iterations = iterations;
  task.connections = connections;
  return task;
}

Result<Ground> load_ground(const std::string& model, const std::string& platform_name) {
  FUNCPIPE_TRY(file, profile_file(model));
  FUNCPIPE_TRY(profile, load_profile(file));
  FUNCPIPE_TRY(platform, load_platform(platform_name));
  FUNCPIPE_TRY(server, load_parameter_server(kServer));
  Ground ground{.model = file.stem().string(),
                .profile_file = file.parent_path() == profiles_folder() ? "profiles/" + file.filename().string()
                                                                        : file.filename().string(),
                .profile = std::move(profile),
                .platform = std::move(platform),
                .server = server,
                .server_name = kServer};
  ground.derived = adapt_to(ground.profile, ground.platform).derived_from.has_value();
  return ground;
}

}  // namespace funcpipe
