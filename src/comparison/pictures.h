// The comparison as pictures (SVG), for a page or a paper.
#pragma once

#include <string>

#include "comparison/comparison.h"

namespace funcpipe {

std::string frontiers_picture(const Comparison& comparison, std::size_t platform);  // models down, batches across
std::string gains_picture(const Comparison& comparison);  // over the best framework, with the paper's bands
std::string breakdown_picture(const Comparison& comparison, std::size_t platform);
std::string all_reduce_picture(const Comparison& comparison);
std::string scaling_picture(const Comparison& comparison);
std::string sensitivity_picture(const Comparison& comparison);

}  // namespace funcpipe
