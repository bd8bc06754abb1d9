// Writes the pages of `funcpipe bench paper`, in Markdown. All figures, and all words that depend on figures, are made
// from the comparison.
#pragma once

#include <string>

#include "comparison/comparison.h"

namespace funcpipe {

std::string verdict_page(const Comparison& comparison);  // README.md
std::string plans_page(const Comparison& comparison);    // plans.md: the best plans of every system in every cell
std::string breakdown_page(const Comparison& comparison);
std::string all_reduce_page(const Comparison& comparison);
std::string scaling_page(const Comparison& comparison);
std::string ablation_page(const Comparison& comparison);
std::string sensitivity_page(const Comparison& comparison);

}  // namespace funcpipe
