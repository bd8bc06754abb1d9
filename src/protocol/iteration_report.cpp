#include "protocol/iteration_report.h"

#include <nlohmann/json.hpp>
#include <string>

#include "protocol/json_members.h"

namespace funcpipe {
namespace {

using nlohmann::json;

constexpr auto kReport = [](auto& report, const auto& visit) {
  visit("iteration", report.iteration);
  visit("loss", report.loss);
  visit("correct", report.correct);
  visit("predictions", report.predictions);
  visit("samples", report.samples);
  visit("seconds", report.seconds);
};

}  // namespace

json to_json(const std::vector<IterationReport>& reports) {
  json rows = json::array();
  for (const IterationReport& report : reports) rows.push_back(write_members(report, kReport));
  return rows;
}

Result<std::vector<IterationReport>> iteration_reports_from_json(const json& source) {
  const std::string place = "iteration report";
  if (!source.is_array()) return fail(ErrorCode::invalid_input, "expected an array", place);
  std::vector<IterationReport> reports;
  for (const json& row : source) {
    FUNCPIPE_TRY(report, read_members<IterationReport>(row, place, kReport));
    reports.push_back(report);
  }
  return reports;
}

}  // namespace funcpipe
