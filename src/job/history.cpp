#include "job/history.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {

void merge(IterationReport& sum, const IterationReport& report) {
  sum.loss += report.loss;
  sum.correct += report.correct;
  sum.predictions += report.predictions;
  sum.samples += report.samples;
  sum.seconds = std::max(sum.seconds, report.seconds);
}

std::optional<double> accuracy_of(const IterationReport& sum) {
  if (sum.predictions == 0) return std::nullopt;
  return static_cast<double>(sum.correct) / static_cast<double>(sum.predictions);
}

double loss_of(const IterationReport& sum) {
  return sum.samples == 0 ? 0 : sum.loss / static_cast<double>(sum.samples);
}

nlohmann::json figure(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

void write_figures(nlohmann::json& row, const IterationReport& sum) {
  row["loss"] = figure(loss_of(sum));
  if (const auto accuracy = accuracy_of(sum)) row["accuracy"] = *accuracy;
  row["samples"] = sum.samples;
}

}  // namespace

History::History(const JobSpec& spec)
    : steps_per_epoch_(std::max<std::int64_t>(1, spec.steps_per_epoch)),
      global_batch_(spec.plan.global_batch),
      validation_rows_(spec.validation.rows()),
      dilation_(spec.config.platform.dilation) {}

void History::add(const std::vector<IterationReport>& reports) {
  for (const IterationReport& report : reports) {
    if (report.iteration < 0) continue;
    const auto index = static_cast<std::size_t>(report.iteration);
    if (index >= iterations_.size()) iterations_.resize(index + 1);
    iterations_[index].iteration = report.iteration;
    merge(iterations_[index], report);
  }
  while (complete_ < std::ssize(iterations_) &&
         iterations_[static_cast<std::size_t>(complete_)].samples >= global_batch_)
    ++complete_;
}

void History::add_validation(std::int64_t round, std::int64_t iteration, const std::vector<IterationReport>& reports) {
  Round& sum = rounds_[round];
  sum.iteration = iteration;
  for (const IterationReport& report : reports) merge(sum.sum, report);
}

bool History::validated(std::int64_t round) const {
  const auto found = rounds_.find(round);
  return found != rounds_.end() && found->second.sum.samples >= validation_rows_;
}

History::Mean History::mean(std::int64_t first, std::int64_t end) const {
  IterationReport sum;
  Seconds seconds = 0;
  end = std::min(end, complete_);
  for (std::int64_t i = first; i < end; ++i) {
    merge(sum, iterations_[static_cast<std::size_t>(i)]);
    seconds += iterations_[static_cast<std::size_t>(i)].seconds;
  }
  return {loss_of(sum), accuracy_of(sum), end > first ? seconds / static_cast<double>(end - first) / dilation_ : 0};
}

std::optional<EpochResult> History::validation(std::int64_t round) const {
  if (!validated(round)) return std::nullopt;
  const Round& found = rounds_.at(round);
  EpochResult result;
  result.epoch = static_cast<double>(found.iteration) / static_cast<double>(steps_per_epoch_);
  result.validation_loss = loss_of(found.sum);
  result.validation_accuracy = accuracy_of(found.sum);
  return result;
}

std::string History::iterations_jsonl() const {
  std::string text;
  for (std::int64_t i = 0; i < complete_; ++i) {
    const IterationReport& sum = iterations_[static_cast<std::size_t>(i)];
    nlohmann::json row = {{"iteration", i}, {"epoch", i / steps_per_epoch_}, {"seconds", sum.seconds / dilation_}};
    write_figures(row, sum);
    text += row.dump() + "\n";
  }
  return text;
}

std::string History::validation_json() const {
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& [round, found] : rounds_) {
    nlohmann::json row = {{"iteration", found.iteration},
                          {"epoch", static_cast<double>(found.iteration) / static_cast<double>(steps_per_epoch_)}};
    write_figures(row, found.sum);
    rows.push_back(std::move(row));
  }
  return rows.dump(2) + "\n";
}

}  // namespace funcpipe
