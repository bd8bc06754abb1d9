// Writes figures as text for pages and pictures.
#pragma once

#include <string>

#include "comparison/play.h"

namespace funcpipe {

inline constexpr double kPerThousand = 1000;  // Prices are given for this many iterations.

std::string seconds_text(const PlayedPlan& plan);  // "12.3"
std::string dollars_text(const PlayedPlan& plan);  // For kPerThousand iterations.
std::string shape_text(const Plan& plan);          // "3 stages x 4, micro-batch 2, 2x2048 3072, pipelined"
std::string percent(double share);                 // "12%", "-3%"
std::string times(double factor);                  // "1.23x"
// Returns whether prediction and simulation differ by more than 5%.
bool differs(const PlayedPlan& plan);
std::string comparison_head(const std::string& title);  // The head of a page.

}  // namespace funcpipe
