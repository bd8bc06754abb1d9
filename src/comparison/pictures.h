// Draws the pictures of the comparison as SVG files.
#pragma once

#include <string>

#include "comparison/comparison.h"

namespace funcpipe {

std::string frontiers_picture(const Comparison& comparison, std::size_t platform);  // A row per model, batches across.
std::string gains_picture(const Comparison& comparison);  // Gains over the best framework, with the paper's ranges.
std::string breakdown_picture(const Comparison& comparison, std::size_t platform);
std::string all_reduce_picture(const Comparison& comparison);
std::string scaling_picture(const Comparison& comparison);
std::string sensitivity_picture(const Comparison& comparison);

}  // namespace funcpipe
