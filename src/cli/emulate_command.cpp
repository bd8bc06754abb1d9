#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/number_range.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "emulator/emulator.h"

namespace funcpipe {
namespace {

struct EmulateArguments {
  std::string platform = "local";
  double dilation = 1;
  int s3_port = 0, lambda_port = 0;
  std::string folder = "runs/cloud";
};

void print_environment(const Emulator& emulator) {
  const Credentials credentials = emulator.credentials();
  fmt::print(
      "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_REGION={}\n"
      "export AWS_DEFAULT_REGION={}\n"
      "export AWS_ENDPOINT_URL_S3={}\nexport AWS_ENDPOINT_URL_LAMBDA={}\n",
      credentials.access_key_id, credentials.secret_access_key, emulator.s3().region, emulator.s3().region,
      emulator.s3().url, emulator.lambda().url);
  std::fflush(stdout);
}

void wait_for(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

int emulate(const EmulateArguments& arguments) {
  Interrupt interrupt;
  EmulatorOptions options;
  auto platform = load_platform(arguments.platform);
  if (!platform) {
    platform.error().code = ErrorCode::invalid_input;
    return report(platform.error());
  }
  const Prices prices = platform->prices;
  options.platform = std::move(*platform);
  options.dilation = arguments.dilation;
  options.folder = arguments.folder;
  options.s3_port = arguments.s3_port;
  options.lambda_port = arguments.lambda_port;
  auto emulator = Emulator::start(std::move(options));
  if (!emulator) return report(emulator.error());
  print_environment(**emulator);
  fmt::print(stderr,
             "# {} on this machine, objects in {}; limits: {}\n"
             "# aws --endpoint-url $AWS_ENDPOINT_URL_S3 s3 ls\n"
             "# aws --endpoint-url $AWS_ENDPOINT_URL_LAMBDA lambda list-functions\n"
             "# Ctrl-C ends it and prints the bill\n",
             arguments.platform, arguments.folder, (*emulator)->isolation());
  wait_for(interrupt.token());
  const Bill bill = (*emulator)->bill();
  emulator->reset();
  fmt::print(stderr, "\n{}", bill_table(bill, prices, columns_of(STDERR_FILENO)));
  return 0;
}

}  // namespace

Command add_emulate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("emulate", "Run the embedded cloud alone, for anyone's S3 or Lambda client");
  const auto arguments = std::make_shared<EmulateArguments>();  // shared by the parser and the command
  command->add_option("--platform", arguments->platform, "local, aws-lambda, ..., or a .toml file")
      ->capture_default_str();
  command->add_option("--dilation", arguments->dilation, "Slow CPU, network and latency together")
      ->check(number_from(1, 1000))
      ->capture_default_str();
  command->add_option("--s3-port", arguments->s3_port, "0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--lambda-port", arguments->lambda_port, "0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--folder", arguments->folder, "Where objects and functions are kept")->capture_default_str();
  return [arguments] { return emulate(*arguments); };
}

}  // namespace funcpipe
