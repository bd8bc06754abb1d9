// By how much one system is better than the best of others in a cell, and whether that lies in the ranges ("bands")
// that the FuncPipe paper claims.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "comparison/cell.h"

namespace funcpipe {

// The ranges of FuncPipe's gains over the best serverless framework, from the abstract of the FuncPipe paper.
inline constexpr double kPaperSpeedup[] = {1.3, 2.2};
inline constexpr double kPaperSaving[] = {0.07, 0.77};

enum class Band { below, within, above };
Band band_of(double value, const double (&bounds)[2]);
std::string_view name_of(Band band);

struct Gain {
  const SystemResult* rival = nullptr;
  // The system's plan of least seconds x dollars against the rival's plan: the rival's seconds divided by its own, and
  // the share of the rival's dollars that it saves.
  double speedup = 0, saving = 0;
  // Against the same plan of the rival: the speed-up of the system's fastest plan that is not dearer, and the saving of
  // its cheapest plan that is not slower; 0 if there is none.
  double faster_for_no_more = 0, cheaper_in_no_more = 0;
  double fastest = 0;   // Speed-up of its fastest plan against the rivals' fastest plan.
  double cheapest = 0;  // Saving of its cheapest plan against the rivals' cheapest plan.
};

// Compares `system` with the best of `rivals`, whose plan is the one for the aim `against`. nullopt if one side has no
// feasible plan.
std::optional<Gain> gain(const Cell& cell, System system, const std::function<bool(System)>& rivals,
                         Aim against = Aim::between);

// What FuncPipe could still gain over the rival's plan of least seconds x dollars.
enum class Rest {
  nothing,   // Nothing: one function holds the whole model.
  little,    // Little: several functions compute for more than kMostlyComputing of the time.
  gradients  // The time in which gradients are on the network.
};
inline constexpr double kMostlyComputing = 0.7;
Rest rest(const Gain& gain);
std::string reason(const Gain& gain);  // Says that in words.

}  // namespace funcpipe
