#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/number_range.h"
#include "cli/progress_line.h"
#include "cli/simulation_report.h"
#include "cli/terminal.h"
#include "schedule/memory.h"
#include "schedule/plan_file.h"
#include "schedule/validate.h"
#include "timeline/chrome_trace.h"

namespace funcpipe {
namespace {

struct SimulateArguments {
  std::string plan, profile, platform, trace, faults, optimizer, latency = "constant", waiting = "polling";
  std::int64_t iterations = 20;
  int connections = 4;
  std::int64_t lifetime = 0;
  double wait_limit = 120;
  std::uint64_t seed = 1;
  bool json = false, no_store_limits = false;
};

// Makes any error but a stop an invalid_input: what the user named is missing or is not what it should be.
template <class T>
Result<T> given_by_user(Result<T> result, const char* flag = "") {
  if (result || result.error().code == ErrorCode::cancelled) return result;
  result.error().code = ErrorCode::invalid_input;
  if (result.error().place.empty()) result.error().place = flag;
  return result;
}

// Collects events for a trace file. The file is opened before anything is simulated.
class TraceFile {
 public:
  static Result<TraceFile> open(const std::string& path, std::size_t workers) {
    TraceFile trace;
    trace.path_ = path;
    trace.events_.resize(workers);
    errno = 0;
    trace.out_.open(path, std::ios::binary);
    if (!trace.out_) return trace.cannot();
    return trace;
  }

  void add(int worker, const OpEvent& event) { events_[static_cast<std::size_t>(worker)].push_back(event); }

  Result<> write(const std::vector<Program>& programs) {
    errno = 0;
    ChromeTraceWriter writer(out_);
    for (std::size_t i = 0; i < programs.size(); ++i) {
      writer.worker(programs[i], static_cast<int>(i), 0);
      writer.events(programs[i], static_cast<int>(i), 0, events_[i]);
    }
    writer.close();
    out_.close();
    if (!out_) return cannot();
    return {};
  }

 private:
  tl::unexpected<Error> cannot() const {
    return fail(ErrorCode::invalid_input,
                fmt::format("the trace cannot be written: {}", errno != 0 ? std::strerror(errno) : "unknown reason"),
                path_, "name a file in a folder that exists and has room: --trace trace.json");
  }

  std::string path_;
  std::ofstream out_;
  std::vector<std::vector<OpEvent>> events_;  // one list for each worker
};

Result<SimulationOptions> options_of(const SimulateArguments& arguments, const Platform& platform) {
  FUNCPIPE_TRY(faults, parse_faults(arguments.faults, "--faults"));
  FUNCPIPE_TRY(store, given_by_user(store_model(platform, arguments.latency == "drawn"), "--latency"));
  if (arguments.no_store_limits) {
    constexpr double kUnlimited = StoreModel::kUnlimited;
    store.most_up = store.most_down = store.put_rate = store.get_rate = store.request_rate = kUnlimited;
  }
  return SimulationOptions{
      .store = store,
      .iterations = arguments.iterations,
      .download_connections = arguments.connections,
      .upload_connections = arguments.connections,
      .lifetime = arguments.lifetime > 0 ? static_cast<Seconds>(arguments.lifetime) : platform.limits.lifetime,
      .billing_step = platform.prices.billing_step,
      .waiting = arguments.waiting == "notified" ? Waiting::notified : Waiting::polling,
      .wait_limit = arguments.wait_limit,
      .seed = arguments.seed,
      .faults = std::move(faults)};
}

// Returns the exit code. A job that would fail has that of its failure.
Result<int> run(const SimulateArguments& arguments, std::stop_token stop) {
  FUNCPIPE_TRY(content, given_by_user(read_json(arguments.plan)));
  FUNCPIPE_TRY(plan, plan_from_json(content, arguments.plan));
  FUNCPIPE_TRY(profile, given_by_user(load_profile(arguments.profile)));
  FUNCPIPE_TRY(named, given_by_user(load_platform(arguments.platform.empty() ? profile.platform : arguments.platform),
                                    "--platform"));
  auto beside_server = platform_for(plan, std::move(named));
  if (!beside_server) beside_server.error().place = arguments.plan;
  FUNCPIPE_TRY(platform, std::move(beside_server));
  FUNCPIPE_TRY(options, options_of(arguments, platform));
  PlanningTask task{profile, platform};
  task.global_batch = plan.global_batch;
  task.connections = arguments.connections;
  task.accounting.iterations = arguments.iterations;
  task.state.optimizer_copies = optimizer_copies(arguments.optimizer.empty() ? profile.optimizer : arguments.optimizer);
  auto made = plan_fleet(task, plan, !arguments.trace.empty(), stop);
  if (!made) made.error().place = arguments.plan;
  FUNCPIPE_TRY(fleet, std::move(made));
  const Seconds iteration = fleet.predicted ? fleet.prediction.iteration : 0;
  auto lives = check_lifetime(options.lifetime, longest_hand_over(fleet.fleet, options.store), iteration);
  if (!lives) lives.error().place = arguments.lifetime > 0 ? "--lifetime" : arguments.plan;
  FUNCPIPE_TRY_VOID(std::move(lives));

  std::optional<TraceFile> trace;
  FleetObserver observe;
  if (!arguments.trace.empty()) {
    FUNCPIPE_TRY(opened, TraceFile::open(arguments.trace, static_cast<std::size_t>(fleet.fleet.size())));
    trace = std::move(opened);
    observe = [&trace](int worker, const OpEvent& event) { trace->add(worker, event); };
  }
  Result<SimulationResult> simulated;
  {
    ProgressLine line(standard_error_screen());
    simulated = simulate(
        fleet.fleet, options, observe,
        [&](std::int64_t done, Seconds now) {
          line.show(static_cast<double>(done) / static_cast<double>(arguments.iterations),
                    fmt::format("{} of {} iterations, {} simulated", done, arguments.iterations, format_seconds(now)));
        },
        stop);
  }
  if (!simulated && simulated.error().code == ErrorCode::invalid_input) simulated.error().place = "--faults";
  FUNCPIPE_TRY(result, std::move(simulated));
  if (trace) FUNCPIPE_TRY_VOID(trace->write(fleet.programs));

  const SimulationReport told{plan, platform, fleet, result};
  const int code = result.failure ? report(*result.failure, /*json=*/false) : 0;
  if (arguments.json) {
    fmt::print("{}\n", simulation_report_json(told).dump(2));
    return code;
  }
  fmt::print("{}", simulation_report(told, columns_of(STDOUT_FILENO)));
  if (trace)
    fmt::print("\nTrace: {0} (Perfetto opens it); funcpipe timeline {1} --profile {2} --trace {0}\n", arguments.trace,
               arguments.plan, arguments.profile);
  return code;
}

}  // namespace

Command add_simulate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("simulate", "Play a plan in virtual time: seconds, requests and the bill");
  const auto arguments = std::make_shared<SimulateArguments>();  // shared by the parser and the command
  SimulateArguments& a = *arguments;
  command->add_option("PLAN", a.plan, "What funcpipe plan --out wrote, or a plan of yours")
      ->required()
      ->type_name("FILE");
  command->add_option("--profile", a.profile, "What funcpipe profile wrote")->required()->type_name("FILE");
  command->add_option("--platform", a.platform, "aws-lambda, ..., or a .toml file [the profile's]");
  command->add_option("--iterations", a.iterations, "Length of the job")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{10'000'000}))
      ->capture_default_str()
      ->type_name("I");
  command->add_option("--trace", a.trace, "Write every operation here (Chrome trace)")->type_name("FILE");
  command->add_option(
      "--faults", a.faults,
      "straggler=1.0x2.5 (stage 1 replica 0 computes and transfers 2.5 times slower), slow-compute=..., "
      "slow-links=..., kill=0.1@12.5 (stage 0 replica 1 dies at 12.5 s); several with commas");
  command->add_option("--seed", a.seed, "Of drawn latencies and of pauses before repeats")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--latency", a.latency, "constant, or drawn by the platform's median and 99th percentile")
      ->check(CLI::IsMember({"constant", "drawn"}))
      ->capture_default_str();
  command->add_option("--waiting", a.waiting, "polling, as workers do, or notified at once, as formulas assume")
      ->check(CLI::IsMember({"polling", "notified"}))
      ->capture_default_str();
  command->add_flag("--no-store-limits", a.no_store_limits,
                    "As if the store took any number of requests and bytes from all workers together");
  command->add_option("--lifetime", a.lifetime, "Seconds of one invocation, whole ones [the platform's]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{86400}))
      ->type_name("S");
  command->add_option("--wait-limit", a.wait_limit, "Longest wait for another worker's object, in seconds")
      ->check(number_above_zero())
      ->capture_default_str()
      ->type_name("S");
  command->add_option("--optimizer", a.optimizer, "Whose state is in a snapshot: sgd, momentum or adam [the profile's]")
      ->check(CLI::IsMember({"sgd", "momentum", "adam"}));
  command->add_option("--connections", a.connections, "Requests a worker has under way in each direction")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--json", a.json, "Print everything as JSON");
  return [arguments] {
    Interrupt interrupt;
    auto code = run(*arguments, interrupt.token());
    return code ? *code : outcome(tl::unexpected(std::move(code.error())), arguments->json, "stopped");
  };
}

}  // namespace funcpipe
