// By how much one system is better than the best of others in a cell, and where that lies in the paper's bands.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "comparison/cell.h"

namespace funcpipe {

// What the paper claims of FuncPipe against the best serverless framework (its abstract).
inline constexpr double kPaperSpeedup[] = {1.3, 2.2};
inline constexpr double kPaperSaving[] = {0.07, 0.77};

enum class Band { below, within, above };
Band band_of(double value, const double (&bounds)[2]);
std::string_view name_of(Band band);

struct Gain {
  const SystemResult* rival = nullptr;
  // Ours of least seconds x dollars against the rivals' best plan: of the same aim, unless asked for another.
  double speedup = 0, saving = 0;  // its seconds over ours; what ours costs less, as a share
  // Against the same plan: our fastest that is no dearer, our cheapest that is no slower.
  // 0: there is none.
  double faster_for_no_more = 0, cheaper_in_no_more = 0;
  double fastest = 0;   // the rivals' fastest over our fastest
  double cheapest = 0;  // saving of our cheapest against the rivals' cheapest
};

// nullopt: one side has no feasible plan.
// `against`: the rivals' plan that ours is compared with.
std::optional<Gain> gain(const Cell& cell, System system, const std::function<bool(System)>& rivals,
                         Aim against = Aim::between);

// What the rival's plan of least seconds x dollars leaves to gain.
enum class Rest {
  nothing,   // one function holds the whole model
  little,    // several compute for over kMostlyComputing of the time
  gradients  // the rest of the time is gradients on the network
};
inline constexpr double kMostlyComputing = 0.7;
Rest rest(const Gain& gain);
std::string reason(const Gain& gain);  // the same in words

}  // namespace funcpipe
