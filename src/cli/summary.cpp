#include "cli/summary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

namespace funcpipe {
namespace {

using Row = std::vector<std::string>;

struct Table {
  std::vector<Row> rows;             // the first one the heading, whose last words go on a line of their own
  std::vector<std::string> dropped;  // headings of the columns that a narrow screen does without, in this order
};

// "train loss" on two lines.
std::pair<std::string, std::string> stacked(const std::string& heading) {
  const std::size_t space = heading.rfind(' ');
  if (space == std::string::npos) return {"", heading};
  return {heading.substr(0, space), heading.substr(space + 1)};
}

std::vector<std::size_t> column_widths(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

// First column to the left, the others to the right, each as wide as its widest cell.
std::string drawn(Table table, int width) {
  const auto stack_heading = [&] {
    Row above, below;
    for (const std::string& heading : table.rows.front()) {
      auto [first, last] = stacked(heading);
      above.push_back(std::move(first));
      below.push_back(std::move(last));
    }
    std::vector<Row> rows = table.rows;
    rows.front() = std::move(below);
    const bool two_lines =
        std::any_of(above.begin(), above.end(), [](const std::string& cell) { return !cell.empty(); });
    if (two_lines) rows.insert(rows.begin(), std::move(above));
    return rows;
  };
  std::vector<Row> rows = stack_heading();
  std::vector<std::size_t> widths = column_widths(rows);
  const auto too_wide = [&] {
    return std::accumulate(widths.begin(), widths.end(), 2 * widths.size()) > static_cast<std::size_t>(width);
  };
  for (auto heading = table.dropped.begin(); heading != table.dropped.end() && too_wide(); ++heading) {
    const Row& headings = table.rows.front();
    const auto column = std::find(headings.begin(), headings.end(), *heading) - headings.begin();
    for (Row& row : table.rows) row.erase(row.begin() + column);
    rows = stack_heading();
    widths = column_widths(rows);
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i)
      line += i == 0 ? fmt::format("{:<{}}", row[i], widths[i]) : fmt::format("  {:>{}}", row[i], widths[i]);
    text += line + "\n";
  }
  return text;
}

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.2f}%", 100 * *share) : std::string("-");
}

std::string loss(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "-";
}

Row bill_row(const std::string& name, const Usage& usage, const Prices& prices) {
  return {name,
          std::to_string(usage.invocations),
          fmt::format("{:.1f}", usage.gb_seconds),
          std::to_string(usage.put),
          std::to_string(usage.get),
          std::to_string(usage.list),
          format_dollars(usage.compute_dollars(prices)),
          format_dollars(usage.request_dollars(prices)),
          format_dollars(usage.dollars(prices))};
}

std::string epoch_table(const std::vector<EpochResult>& epochs, int width) {
  std::vector<Row> rows{{"epoch", "train loss", "train accuracy", "validation loss", "validation accuracy", "time"}};
  for (const EpochResult& epoch : epochs)
    rows.push_back({fmt::format("{:.4g}", epoch.epoch), loss(epoch.train_loss), percent(epoch.train_accuracy),
                    loss(epoch.validation_loss), percent(epoch.validation_accuracy), format_seconds(epoch.elapsed)});
  return drawn({std::move(rows), {"train accuracy", "time", "train loss", "validation loss"}}, width);
}

// Another cut than this job's, and a cloud it has not been tried on.
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
  std::vector<Row> rows{{"", "invocations", "GB-s", "PUT", "GET", "LIST", "compute", "requests", "total"}};
  for (const auto& [name, usage] : bill.by_function) rows.push_back(bill_row(name, usage, prices));
  rows.push_back(bill_row("total", bill.total(), prices));
  return drawn({std::move(rows), {"LIST", "invocations", "compute", "requests", "PUT", "GET", "GB-s"}}, width);
}

std::string summary(const TrainResult& result, const JobConfig& config, const std::string& program,
                    const std::string& job_file, int width) {
  const std::string folder = result.folder.string();
  std::string text = fmt::format("\nTrained in {}\n\n{}\nBill\n{}", format_seconds(result.training_seconds),
                                 epoch_table(result.epochs, width), bill_table(result.bill, result.prices, width));
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
          {"bill", to_json(result.bill, result.prices)}};
}

}  // namespace funcpipe
