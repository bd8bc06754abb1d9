#include "comparison/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "comparison/pages.h"
#include "comparison/pictures.h"
#include "schedule/plan_file.h"

namespace funcpipe {
namespace {

// Turns "FuncPipe as published" into "funcpipe-as-published".
std::string in_file_name(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::isalnum(c) ? std::tolower(c) : '-'; });
  return text;
}

}  // namespace

std::vector<ResultFile> result_files(const Comparison& comparison) {
  std::vector<ResultFile> files = {
      {"README.md", verdict_page(comparison)},
      {"plans.md", plans_page(comparison)},
      {"breakdown.md", breakdown_page(comparison)},
      {"all-reduce.md", all_reduce_page(comparison)},
      {"scaling.md", scaling_page(comparison)},
      {"ablation.md", ablation_page(comparison)},
      {"sensitivity.md", sensitivity_page(comparison)},
      {"gains.svg", gains_picture(comparison)},
      {"all-reduce.svg", all_reduce_picture(comparison)},
      {"scaling.svg", scaling_picture(comparison)},
      {"sensitivity.svg", sensitivity_picture(comparison)},
  };
  for (std::size_t p = 0; p < comparison.selection.platforms.size(); ++p) {
    const std::string& name = comparison.ground(p, 0).platform.name;
    files.push_back({fmt::format("frontiers-{}.svg", name), frontiers_picture(comparison, p)});
    files.push_back({fmt::format("breakdown-{}.svg", name), breakdown_picture(comparison, p)});
  }
  return files;
}

std::vector<ResultFile> plan_files(const Comparison& comparison) {
  std::vector<ResultFile> files;
  for (const Cell& cell : comparison.cells)
    for (const SystemResult& system : cell.systems) {
      if (!system.feasible()) continue;
      for (const Aim aim : kAims)
        files.push_back({fmt::format("{}-{}-{}-{}-{}.json", cell.model, cell.platform, cell.batch,
                                     in_file_name(name_of(system.system)), name_of(aim)),
                         to_json(system.at(aim).plan).dump(2) + "\n"});
    }
  return files;
}

Result<> prepare_folder(const std::filesystem::path& folder) {
  const std::filesystem::path probe = folder / ".writable";
  auto written = write_file(probe, "");
  if (!written) {
    written.error().code = ErrorCode::invalid_input;
    written.error().place = folder.string();
    written.error().hint = "name a folder that can be written";
    return written;
  }
  std::error_code none;
  std::filesystem::remove(probe, none);
  return {};
}

Result<> write_results(const std::vector<ResultFile>& files, const std::filesystem::path& folder) {
  for (const ResultFile& file : files) FUNCPIPE_TRY_VOID(write_file(folder / file.name, file.content));
  return {};
}

}  // namespace funcpipe
