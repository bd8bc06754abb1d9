#include "cli/summary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/table.h"

namespace funcpipe {
namespace {

using Row = Table::Row;

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.2f}%", 100 * *share) : std::string("-");
}

std::string loss(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "-";
}

Row bill_row(const std::string& name, const Usage& usage, const Prices& prices) {
  Row row{name, std::to_string(usage.invocations), fmt::format("{:.1f}", usage.gb_seconds)};
  if (prices.vcpu_second > 0) row.push_back(fmt::format("{:.1f}", usage.vcpu_seconds));
  for (const std::int64_t requests : {usage.put, usage.get, usage.list}) row.push_back(std::to_string(requests));
  for (const Dollars dollars : {usage.compute_dollars(prices), usage.request_dollars(prices), usage.dollars(prices)})
    row.push_back(format_dollars(dollars));
  return row;
}

std::string epoch_table(const std::vector<EpochResult>& epochs, int width) {
  std::vector<Row> rows{{"epoch", "train loss", "train accuracy", "validation loss", "validation accuracy", "time"}};
  for (const EpochResult& epoch : epochs)
    rows.push_back({fmt::format("{:.4g}", epoch.epoch), loss(epoch.train_loss), percent(epoch.train_accuracy),
                    loss(epoch.validation_loss), percent(epoch.validation_accuracy), format_seconds(epoch.elapsed)});
  return drawn({std::move(rows), {"train accuracy", "time", "train loss", "validation loss"}}, width);
}

// Suggests another cut than this job's, and a cloud it was not tried on.
std::string next_commands(const JobConfig& config, const std::string& train) {
  const bool alone = config.parallelism.stages == 1;
  std::string text =
      fmt::format("  {}{} --stages {} --replicas {}   # another cut\n", train,
                  config.parallelism.plan.empty() ? "" : " --parallelism.plan \"\"", alone ? 2 : 1, alone ? 2 : 4);
  if (!config.platform.s3_endpoint.empty()) return text;
  if (config.platform.name == "local")
    text += fmt::format("  {} --emulate aws-lambda --training.steps 20   # with Lambda's limits\n", train);
  else
    text += fmt::format("  {} --emulate {} --training.steps 20   # another cloud\n", train,
                        config.platform.name == "aws-lambda" ? "alibaba-fc" : "aws-lambda");
  return text;
}

}  // namespace

std::string bill_table(const Bill& bill, const Prices& prices, int width) {
  Table table{.dropped = {"LIST", "invocations", "compute", "requests", "PUT", "GET", "GB-s"}};
  Row columns{"", "invocations", "GB-s"};
  if (prices.vcpu_second > 0) {
    columns.emplace_back("vCPU-s");
    table.dropped.emplace_back("vCPU-s");
  }
  for (const char* column : {"PUT", "GET", "LIST", "compute", "requests", "total"}) columns.emplace_back(column);
  table.rows = {std::move(columns)};
  for (const auto& [name, usage] : bill.by_function) table.rows.push_back(bill_row(name, usage, prices));
  table.rows.push_back(bill_row("total", bill.total(), prices));
  return drawn(std::move(table), width);
}

std::string results_summary(const TrainResult& result, int width) {
  const std::string folder = result.folder.string();
  std::string text = fmt::format("\nTrained in {}\n\n{}\nBill\n{}", format_seconds(result.training_seconds),
                                 epoch_table(result.epochs, width), bill_table(result.bill, result.prices, width));
  if (result.accidents > 0)
    text +=
        fmt::format("\n{} lost and started again; the weights are the same as without that.\n",
                    result.accidents == 1 ? "A worker was" : fmt::format("Workers were {} times", result.accidents));
  if (!result.whole_bill) text += "  (requests made by the functions themselves are not in it)\n";
  if (!result.epochs.empty() && !std::isfinite(result.epochs.back().train_loss))
    text +=
        "\nWarning: the loss is not a number any more, so these weights are of no use.\n"
        "  Look in history.jsonl where it began; try a smaller optimizer.lr, and look for NaN in the data.\n";
  text += fmt::format(
      "\nResults in {0}\n"
      "  model.pt         the trained model: torch.jit.load(\"{0}/model.pt\")\n"
      "  state_dict.pt    its weights:       torch.load(\"{0}/state_dict.pt\")\n"
      "  history.jsonl, validation.json, plan.json, job.json, bill.json\n",
      folder);
  return text;
}

std::string summary(const TrainResult& result, const JobConfig& config, const std::string& program,
                    const std::string& job_file, int width) {
  std::string text = results_summary(result, width);
  text += "\nTry next\n" + next_commands(config, fmt::format("{} train {}", program, job_file));
  text += fmt::format("  {} options   # everything a job file may say\n", program);
  return text;
}

nlohmann::json summary_json(const TrainResult& result) {
  nlohmann::json epochs = nlohmann::json::array();
  for (const EpochResult& epoch : result.epochs) {
    nlohmann::json row = {{"epoch", epoch.epoch}, {"train_loss", epoch.train_loss}, {"seconds", epoch.elapsed}};
    if (epoch.train_accuracy) row["train_accuracy"] = *epoch.train_accuracy;
    if (epoch.validation_loss) row["validation_loss"] = *epoch.validation_loss;
    if (epoch.validation_accuracy) row["validation_accuracy"] = *epoch.validation_accuracy;
    epochs.push_back(std::move(row));
  }
  return {{"folder", result.folder.string()},
          {"epochs", std::move(epochs)},
          {"training_seconds", result.training_seconds},
          {"peak_memory_bytes", result.peak_memory},
          {"accidents", result.accidents},
          {"bill", to_json(result.bill, result.prices)}};
}

}  // namespace funcpipe
