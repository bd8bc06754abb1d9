#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "cli/timeline_report.h"
#include "profile/profile.h"
#include "schedule/plan_file.h"
#include "simulator/plan_fleet.h"
#include "timeline/chrome_trace.h"
#include "timeline/picture.h"
#include "timeline/traced_job.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

struct TimelineArguments {
  std::string job, profile, platform, trace, iterations, out = "timeline.svg";
  int connections = 4, workers = 32;
  bool json = false;
};

template <class T>
Result<T> given_by_user(Result<T> result) {
  if (!result && result.error().code != ErrorCode::cancelled) result.error().code = ErrorCode::invalid_input;
  return result;
}

// Parses "4" or "4-5". Empty means the iterations of the steady state.
Result<IterationRange> range_of(const std::string& text, const Played& played, const std::string& place) {
  const IterationRange whole = played.whole();
  if (whole.first == whole.end)
    return fail(ErrorCode::invalid_input, "no iteration was traced of every worker from beginning to end", place,
                "trace more iterations");
  if (text.empty()) return played.steady();
  const auto traced =
      whole.end - whole.first == 1 ? fmt::format("{}", whole.first) : fmt::format("{}-{}", whole.first, whole.end - 1);
  const auto refuse = [&](std::string what) {
    return fail(ErrorCode::invalid_input, std::move(what), "--iterations",
                fmt::format("{} were traced; name them like this: --iterations {}", traced, traced));
  };
  IterationRange range;
  const char *at = text.data(), *const end = at + text.size();
  auto parsed = std::from_chars(at, end, range.first);
  range.end = range.first;
  if (parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == '-')
    parsed = std::from_chars(parsed.ptr + 1, end, range.end);
  if (parsed.ec != std::errc() || parsed.ptr != end) return refuse(fmt::format("'{}' are not iterations", text));
  if (range.first > range.end) return refuse(fmt::format("iteration {} comes after {}", range.first, range.end));
  if (range.first < whole.first || range.end >= whole.end)
    return refuse(fmt::format("not all of iterations {} were traced in whole", text));
  ++range.end;
  return range;
}

// Enough iterations for a steady state.
constexpr std::int64_t kSimulatedIterations = 6;

Result<std::int64_t> iterations_to_play(const std::string& text) {
  std::int64_t last = kSimulatedIterations - 1;
  const std::size_t dash = text.rfind('-');
  const char* const begin = text.data() + (dash == std::string::npos ? 0 : dash + 1);
  // Anything that is no number is refused later.
  if (!text.empty()) std::from_chars(begin, text.data() + text.size(), last);
  constexpr std::int64_t kMost = 1000;
  if (last > kMost)
    return fail(ErrorCode::invalid_input, fmt::format("iteration {} is far away", last), "--iterations",
                fmt::format("choose some up to {}: they differ little", kMost));
  return std::max<std::int64_t>(last, 0) + 1;
}

Result<TracedJob> job_of_plan(const TimelineArguments& arguments, std::stop_token stop) {
  FUNCPIPE_TRY(content, given_by_user(read_json(arguments.job)));
  FUNCPIPE_TRY(plan, plan_from_json(content, arguments.job));
  FUNCPIPE_TRY(profile, given_by_user(load_profile(arguments.profile)));
  TracedJob job{.name = plan.model, .widths = {1, arguments.connections, arguments.connections}};
  if (!arguments.trace.empty()) {
    auto programs = training_programs(plan, profile.model);
    if (!programs) programs.error().place = arguments.job;
    FUNCPIPE_TRY(made, std::move(programs));
    FUNCPIPE_TRY(text, given_by_user(read_file(arguments.trace)));
    FUNCPIPE_TRY(events, read_chrome_trace(text, made, arguments.trace));
    job.programs = std::move(made);
    job.events = std::move(events);
    return job;
  }
  auto platform = given_by_user(load_platform(arguments.platform.empty() ? profile.platform : arguments.platform));
  if (!platform && platform.error().place.empty()) platform.error().place = "--platform";
  FUNCPIPE_TRY(on, std::move(platform));
  PlanningTask task{profile, on};
  task.global_batch = plan.global_batch;
  task.connections = arguments.connections;
  auto made = plan_fleet(task, plan, true, stop);
  if (!made) made.error().place = arguments.job;
  FUNCPIPE_TRY(fleet, std::move(made));
  FUNCPIPE_TRY(store, given_by_user(store_model(on, false)));
  FUNCPIPE_TRY(iterations, iterations_to_play(arguments.iterations));
  const SimulationOptions options{.store = store,
                                  .iterations = iterations,
                                  .download_connections = arguments.connections,
                                  .upload_connections = arguments.connections,
                                  .lifetime = on.limits.lifetime,
                                  .billing_step = on.prices.billing_step};
  job.events.resize(fleet.programs.size());
  const auto keep = [&](int worker, const OpEvent& event) {
    job.events[static_cast<std::size_t>(worker)].push_back(event);
  };
  FUNCPIPE_TRY(result, simulate(fleet.fleet, options, keep, {}, std::move(stop)));
  if (result.failure) return tl::unexpected<Error>(*result.failure);
  job.programs = std::move(fleet.programs);
  return job;
}

Result<TracedJob> job_of(const TimelineArguments& arguments, std::stop_token stop) {
  std::error_code status;
  if (fs::is_directory(arguments.job, status)) {
    if (!arguments.profile.empty())
      return fail(ErrorCode::invalid_input, "a job's results need no profile", "--profile",
                  "leave it out, or name a plan instead of the folder");
    return load_traced_job(arguments.job);
  }
  if (!fs::exists(arguments.job, status))
    return fail(ErrorCode::invalid_input, "there is no such folder or plan", arguments.job,
                "name the results folder of a job, such as runs/fashion, or a plan");
  if (arguments.profile.empty())
    return fail(ErrorCode::invalid_input, "a plan alone has no times", arguments.job,
                "give --profile, what funcpipe profile wrote of its model; or name a job's results folder");
  return job_of_plan(arguments, std::move(stop));
}

std::string title_of(const std::string& name, const Played& played, IterationRange range) {
  const auto of_last_function = std::find_if(played.programs().rbegin(), played.programs().rend(),
                                             [](const Program& program) { return program.worker != kParameterServer; });
  const WorkerId last = of_last_function->worker;
  const auto count = [](int number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  };
  return fmt::format("{}: {} x {}, iteration{}", name, count(last.stage + 1, "stage"),
                     count(last.replica + 1, "replica"),
                     range.end - range.first == 1 ? fmt::format(" {}", range.first)
                                                  : fmt::format("s {} to {}", range.first, range.end - 1));
}

Result<> run(const TimelineArguments& arguments, std::stop_token stop) {
  FUNCPIPE_TRY(job, job_of(arguments, std::move(stop)));
  const Played played(std::move(job.programs), job.events, job.widths);
  FUNCPIPE_TRY(range,
               range_of(arguments.iterations, played, arguments.trace.empty() ? arguments.job : arguments.trace));
  const CriticalPath path = critical_path(played, range);
  if (!(path.to > path.from))
    return fail(
        ErrorCode::invalid_input,
        fmt::format("iterations {} to {} take no time: {} to {} s", range.first, range.end - 1, path.from, path.to),
        arguments.trace.empty() ? arguments.job : arguments.trace, "see docs/formats/trace.md");
  const Utilisation use = utilisation(played, path.from, path.to);
  const PictureOptions options{.title = title_of(job.name, played, range), .most_workers = arguments.workers};
  FUNCPIPE_TRY_VOID(given_by_user(write_file(arguments.out, timeline_picture(played, path, use, options))));
  const TimelineReport report{job.name, played, path, use};
  if (arguments.json) {
    nlohmann::json json = timeline_report_json(report);
    json["picture"] = arguments.out;
    fmt::print("{}\n", json.dump(2));
    return {};
  }
  fmt::print("{}\nPicture: {}\n", timeline_report(report, columns_of(STDOUT_FILENO)), arguments.out);
  return {};
}

}  // namespace

Command add_timeline(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("timeline", "Draw what every worker did and waited for, and the critical path");
  const auto arguments = std::make_shared<TimelineArguments>();  // shared by the parser and the command
  TimelineArguments& a = *arguments;
  command
      ->add_option("JOB", a.job,
                   "Results folder of funcpipe train with metrics.trace_iterations above 0; or a plan, which is "
                   "simulated with its --profile")
      ->required()
      ->type_name("FOLDER|PLAN");
  command->add_option("--iterations", a.iterations, "Which: 4 or 4-5, as counted in trace.json [the last two]")
      ->type_name("A-B");
  command->add_option("--out", a.out, "The picture (SVG)")->capture_default_str()->type_name("FILE");
  command->add_option("--workers", a.workers, "Most workers to draw")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  CLI::Option* profile =
      command->add_option("--profile", a.profile, "Of a plan: what its model costs")->type_name("FILE");
  command->add_option("--platform", a.platform, "Of a plan: aws-lambda, ..., or a .toml file [the profile's]")
      ->needs(profile);
  command->add_option("--trace", a.trace, "Of a plan: what funcpipe simulate --trace wrote; nothing is simulated then")
      ->type_name("FILE")
      ->needs(profile);
  command->add_option("--connections", a.connections, "Of a plan: transfers a worker has under way in each direction")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--json", a.json, "Print the figures as JSON");
  return [arguments] {
    Interrupt interrupt;
    return outcome(run(*arguments, interrupt.token()), arguments->json, "stopped");
  };
}

}  // namespace funcpipe
