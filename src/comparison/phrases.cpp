#include "comparison/phrases.h"

#include <fmt/format.h>

#include <cmath>

#include "base/counted.h"

namespace funcpipe {
namespace {

constexpr double kAgreement = 0.05;

// Writes three significant digits without an exponent.
std::string figure(double value) {
  const int digits = value > 0 ? static_cast<int>(std::floor(std::log10(value))) : 0;
  return fmt::format("{:.{}f}", value, std::max(0, std::min(6, 2 - digits)));
}

}  // namespace

std::string seconds_text(const PlayedPlan& plan) {
  return figure(plan.seconds);
}

std::string dollars_text(const PlayedPlan& plan) {
  return figure(kPerThousand * plan.dollars);
}

std::string shape_text(const Plan& plan) {
  std::string text = fmt::format("{} x {}, micro-batch {}, {}", counted(plan.stage_count(), "stage"), plan.replicas,
                                 plan.micro_batch, memory_text(plan));
  if (plan.replicas > 1) text += fmt::format(", {}", to_string(plan.sync));
  return text;
}

std::string percent(double share) {
  const double rounded = std::round(100 * share);
  return fmt::format("{:.0f}%", rounded == 0 ? 0.0 : rounded);
}

std::string times(double factor) {
  return fmt::format("{:.2f}x", factor);
}

bool differs(const PlayedPlan& plan) {
  return std::abs(plan.seconds / plan.predicted_seconds - 1) > kAgreement;
}

std::string comparison_head(const std::string& title) {
  return fmt::format("# {}\n\nWritten by `funcpipe bench paper`; [README.md](README.md) says what is compared.\n\n",
                     title);
}

}  // namespace funcpipe
