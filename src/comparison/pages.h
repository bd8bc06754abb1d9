// The comparison in words and tables: what `funcpipe bench paper` writes. Every figure, and every word that depends on
// one, comes from the comparison.
#pragma once

#include <string>

#include "comparison/comparison.h"

namespace funcpipe {

std::string verdict_page(const Comparison& comparison);  // README.md
std::string plans_page(const Comparison& comparison);    // plans.md: every system's best plans in every cell
std::string breakdown_page(const Comparison& comparison);
std::string all_reduce_page(const Comparison& comparison);
std::string scaling_page(const Comparison& comparison);
std::string ablation_page(const Comparison& comparison);
std::string sensitivity_page(const Comparison& comparison);

}  // namespace funcpipe
