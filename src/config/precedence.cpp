#include "config/precedence.h"

#include <string_view>

#include "config/options.h"

namespace funcpipe {
namespace {

const OptionRecord& record_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return *find_option(name.substr(0, dot), name.substr(dot + 1));
}

// Resets an option of the job file that `by` outranks. Does nothing if the option is not set or is set on the command
// line.
void outrank(JobConfig& config, const char* option, const std::string& by) {
  const auto given = config.given.find(option);
  if (given == config.given.end() || is_on_command_line(config, option)) return;
  const OptionRecord& record = record_of(option);
  config.outranked.push_back(fmt::format("{} outranks {} ({})", by, option, given->second));
  static_cast<void>(set_option(config, record, get_option(JobConfig{}, record)));
  config.given.erase(given);
}

// An option that the user set to another value than the plan has.
struct Contradiction {
  const OptionRecord& option;
  const std::string& place;
  OptionValue wanted, planned;
  bool outranked;  // By a plan named on the command line.
};

std::vector<Contradiction> contradictions(const JobConfig& config, const Plan& plan) {
  std::vector<Contradiction> found;
  for (const OptionRecord& option : option_table()) {
    const auto given = config.given.find(option.name());
    if (!option.in_plan || given == config.given.end()) continue;
    // The global batch decides what is trained, not only how, so a plan does not outrank it.
    const bool outranked = is_on_command_line(config, "parallelism.plan") &&
                           !is_on_command_line(config, option.name()) && option.name() != "training.global_batch";
    const OptionValue wanted = get_option(config, option);
    for (const OptionValue& planned : option.in_plan(plan)) {
      if (planned == wanted) continue;
      found.push_back({option, given->second, wanted, planned, outranked});
      break;
    }
  }
  return found;
}

}  // namespace

bool is_on_command_line(const JobConfig& config, const std::string& option) {
  const auto given = config.given.find(option);
  return given != config.given.end() && given->second.starts_with("--");
}

Result<> settle_precedence(JobConfig& config) {
  const JobConfig::Parallelism& parallelism = config.parallelism;
  if (parallelism.profile.empty()) return {};
  if (is_on_command_line(config, "parallelism.profile")) {
    for (const char* option : {"parallelism.plan", "parallelism.stages", "parallelism.replicas", "training.micro_batch",
                               "parallelism.order", "parallelism.sync", "parallelism.server"})
      outrank(config, option, config.given.at("parallelism.profile"));
  } else if (is_on_command_line(config, "parallelism.stages")) {
    outrank(config, "parallelism.profile", config.given.at("parallelism.stages"));
  }
  if (parallelism.profile.empty()) return {};
  if (!parallelism.plan.empty()) {
    config.outranked.push_back("parallelism.profile is not used: parallelism.plan says it all");
    return {};
  }
  if (const auto stages = config.given.find("parallelism.stages"); stages != config.given.end())
    return fail(
        ErrorCode::invalid_input, "both parallelism.stages and parallelism.profile are set", stages->second,
        "leave out the stages, which are chosen with the profile, or do without it: --parallelism.profile \"\"");
  return {};
}

Result<> check_against_plan(const JobConfig& config, const Plan& plan, const std::string& file) {
  for (const Contradiction& one : contradictions(config, plan)) {
    if (one.outranked) continue;
    return fail(ErrorCode::invalid_input,
                fmt::format("{} is {} here, but {} in the plan {}", one.option.name(), value_text(one.wanted),
                            value_text(one.planned), file),
                one.place,
                one.option.name() == "training.global_batch"
                    ? fmt::format("train with the plan's: --training.global_batch {}; or plan again: funcpipe plan ... "
                                  "--batch {}",
                                  plan.global_batch, config.training.global_batch)
                    : "leave it out, change the plan, or do without the plan: --parallelism.plan \"\"");
  }
  return {};
}

std::vector<std::string> outranked_by_plan(const JobConfig& config, const Plan& plan) {
  std::vector<std::string> said;
  for (const Contradiction& one : contradictions(config, plan))
    if (one.outranked)
      said.push_back(fmt::format("the plan of --parallelism.plan has {} for {} and outranks {} ({})",
                                 value_text(one.planned), one.option.name(), value_text(one.wanted), one.place));
  return said;
}

}  // namespace funcpipe
