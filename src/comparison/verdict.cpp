// Writes README.md of the results: what was compared, and the outcome.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "comparison/gains.h"
#include "comparison/markdown.h"
#include "comparison/pages.h"
#include "comparison/phrases.h"

namespace funcpipe {
namespace {

bool everyone_but_ours(System system) {
  return system != System::ours;
}

// The paper claims its ranges for large models and batches. It says that the gain is small for ResNet101 at the
// smallest batch.
constexpr const char* kSmallModel = "resnet101";
constexpr int kSmallBatch = 16;
bool is_claimed(const Cell& cell) {
  return cell.model != kSmallModel && cell.batch > kSmallBatch;
}

std::string name_of_cell(const Cell& cell) {
  return fmt::format("{} at batch {} on {}", cell.model, cell.batch, cell.platform);
}

std::string list_of(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, "; "));
}

struct Counts {
  int cells = 0, both = 0, faster = 0, cheaper = 0, speedup_within = 0, saving_within = 0;
  // Names of cells: both gains in the paper's ranges; none below and one above its range; one below its range.
  std::vector<std::string> within, above, below;
};

Counts count(const Comparison& comparison, const std::function<bool(const Cell&)>& wanted, Aim against) {
  Counts counts;
  for (const Cell& cell : comparison.cells) {
    const auto one = gain(cell, System::published, is_framework, against);
    if (!one || !wanted(cell)) continue;
    ++counts.cells;
    const Band speedup = band_of(one->speedup, kPaperSpeedup), saving = band_of(one->saving, kPaperSaving);
    counts.faster += one->speedup > 1 ? 1 : 0;
    counts.cheaper += one->saving > 0 ? 1 : 0;
    counts.speedup_within += speedup == Band::within ? 1 : 0;
    counts.saving_within += saving == Band::within ? 1 : 0;
    if (speedup == Band::within && saving == Band::within)
      counts.within.push_back(name_of_cell(cell));
    else if (speedup != Band::below && saving != Band::below)
      counts.above.push_back(name_of_cell(cell));
    else
      counts.below.push_back(name_of_cell(cell));
  }
  return counts;
}

std::string words_first(const Comparison& comparison) {
  std::string text =
      "## Words\n\n"
      "A *cell* is a model at a batch on a platform. A *framework* runs the whole model in every function:\n\n"
      "* **LambdaML, HybridPS**: a function's share of the batch at once; gradients through the store in three phases, "
      "or through a parameter server on a rented machine. **-GA**: micro-batch after micro-batch. All function sizes, "
      "any number of replicas that batch and platform allow, any share that fits.\n\n"
      "The others cut the model into a pipeline:\n\n"
      "* **TPDMP plan, Bayes plan**: cuts as those planners find them, on layers merged to 30, by the real bill.\n"
      "* **FuncPipe as published**: gpipe order, pipelined scatter-reduce, micro-batches of 4, layers merged to 30; "
      "the "
      "plan is chosen under the paper's cost model, memory x time, and then pays the real bill.\n"
      "* **ours**: all of `funcpipe plan`, and the simulator has the last word among the plans of the frontier.\n\n";
  text += fmt::format(
      "Each system has one memory model, one profile and one bill. Of each frontier up to 9 plans are simulated, of "
      "ours "
      "up to 40 (the fastest, the cheapest, the one of least seconds x dollars, and some in between); the best for "
      "time, "
      "for cost and in between (least seconds x dollars) are chosen by what was simulated, but for FuncPipe as "
      "published, whose planner has no simulator: its own predictions choose. All tables but scaling's show steady "
      "iterations: the "
      "median of the {}th to the {}th.\n\n",
      kFirstSteady + 1, kEndSteady);
  const Counts fast = count(
      comparison, [](const Cell&) { return true; }, Aim::time);
  const Counts balanced = count(
      comparison, [](const Cell&) { return true; }, Aim::between);
  const auto covered = std::ranges::count_if(comparison.cells, &Cell::ours_covers_published);
  text += fmt::format(
      "In short, over {} cells: FuncPipe as published is faster than the frameworks' fastest plan in {} and cheaper in "
      "{}; than their plan of least seconds x dollars it is faster in {} and cheaper in {}. Ours is at least as fast "
      "and "
      "as cheap as FuncPipe as published in {} of {}.\n\n",
      fast.cells, fast.faster, fast.cheaper, balanced.faster, balanced.cheaper, covered, comparison.cells.size());
  return text;
}

std::string inputs(const Comparison& comparison) {
  const Selection& selection = comparison.selection;
  MarkdownTable models({"model", "profile", "layers", "parameters", "optimiser", "measured on", "date"});
  for (std::size_t m = 0; m < selection.models.size(); ++m) {
    const Ground& ground = comparison.ground(0, m);
    const Profile& profile = ground.profile;
    models.row({ground.model, ground.profile_file, fmt::format("{}", profile.layer_count()),
                format_bytes(profile.trainable_bytes(0, profile.layer_count())), profile.optimizer, profile.machine,
                profile.date});
  }
  MarkdownTable platforms({"platform", "what", "functions", "network of the largest"});
  for (std::size_t p = 0; p < selection.platforms.size(); ++p) {
    const Ground& ground = comparison.ground(p, 0);
    const FunctionSize& largest = ground.platform.sizes.back();
    platforms.row({fmt::format("{}{}", ground.platform.name, ground.derived ? " (derived)" : ""),
                   ground.platform.description, fmt::format("to {} at once", ground.platform.limits.concurrency),
                   format_rate(largest.downlink)});
  }
  const Ground& any = comparison.grounds.front();
  std::string text = "## What was compared\n\n" + models.str() + platforms.str();
  text += fmt::format(
      "Files: `profiles/MODEL.json`, `platforms/PLATFORM.toml`, and `platforms/servers/{}.toml` for HybridPS. "
      "\"Derived\": the profile has none of the platform's function sizes; its times were scaled by vCPUs. Global "
      "batches: "
      "{}. Seed {} (of the Bayesian search; latencies are constant). The bill is for jobs of {} iterations.\n\n",
      any.server_name, fmt::join(selection.batches, ", "), selection.seed, any.iterations);
  return text;
}

std::string bands_table(const Comparison& comparison) {
  MarkdownTable table({"platform", "model", "batch", "best framework", "seconds", "dollars", "FuncPipe s", "dollars",
                       "speed-up", "band", "saving", "band", "faster for no more", "cheaper in no more", "why"});
  for (const Cell& cell : comparison.cells) {
    const auto one = gain(cell, System::published, is_framework);
    if (!one) {
      table.row({cell.platform, cell.model, fmt::format("{}", cell.batch), "none is feasible", "", "", "", "", "", "",
                 "", "", "", "", ""});
      continue;
    }
    const PlayedPlan &rival = one->rival->at(Aim::between), &own = cell.of(System::published).at(Aim::between);
    table.row({cell.platform, cell.model, fmt::format("{}", cell.batch), std::string(name_of(one->rival->system)),
               seconds_text(rival), dollars_text(rival), seconds_text(own), dollars_text(own), times(one->speedup),
               std::string(name_of(band_of(one->speedup, kPaperSpeedup))), percent(one->saving),
               std::string(name_of(band_of(one->saving, kPaperSaving))),
               one->faster_for_no_more > 1 ? times(one->faster_for_no_more) : "none",
               one->cheaper_in_no_more > 0 ? percent(one->cheaper_in_no_more) : "none", reason(*one)});
  }
  return table.str();
}

std::string small_case(const Comparison& comparison) {
  std::string text;
  for (const Cell& cell : comparison.cells) {
    if (cell.model != kSmallModel || cell.batch != kSmallBatch) continue;
    const auto one = gain(cell, System::published, is_framework);
    if (!one) continue;
    const bool little = one->faster_for_no_more < kPaperSpeedup[0] && one->cheaper_in_no_more < kPaperSaving[1] / 2;
    text += fmt::format("* {}: {} ({} faster for no more money, {} cheaper in no more time).\n", name_of_cell(cell),
                        little ? "little or no gain, as expected" : "a gain, against expectation",
                        one->faster_for_no_more > 1 ? times(one->faster_for_no_more) : "not",
                        percent(one->cheaper_in_no_more));
  }
  return text.empty() ? text : "ResNet101 at batch 16, where the paper shows little or no gain:\n\n" + text + "\n";
}

std::string in_bands(const Comparison& comparison, Aim against) {
  const Counts claimed = count(comparison, is_claimed, against);
  const auto named = [&](const std::vector<std::string>& names) {
    return std::ssize(names) == claimed.cells && !names.empty() ? fmt::format("all {}", names.size()) : list_of(names);
  };
  return fmt::format(
      "of the {} cells where the paper claims its bands (models other than ResNet101, batches over {}), FuncPipe as "
      "published is faster in {} and cheaper in {}; its speed-up is in the paper's band in {}, its saving in {}.\n\n"
      "* Both in their bands: {}.\n"
      "* Neither below its band, one or both above: {}.\n"
      "* Speed-up or saving below its band: {}.\n\n",
      claimed.cells, kSmallBatch, claimed.faster, claimed.cheaper, claimed.speedup_within, claimed.saving_within,
      named(claimed.within), named(claimed.above), named(claimed.below));
}

std::string fastest_table(const Comparison& comparison) {
  MarkdownTable table(
      {"platform", "model", "batch", "fastest framework", "seconds", "dollars", "speed-up", "band", "saving", "band"});
  for (const Cell& cell : comparison.cells) {
    const auto one = gain(cell, System::published, is_framework, Aim::time);
    if (!one) continue;
    const PlayedPlan& rival = one->rival->at(Aim::time);
    table.row({cell.platform, cell.model, fmt::format("{}", cell.batch), std::string(name_of(one->rival->system)),
               seconds_text(rival), dollars_text(rival), times(one->speedup),
               std::string(name_of(band_of(one->speedup, kPaperSpeedup))), percent(one->saving),
               std::string(name_of(band_of(one->saving, kPaperSaving)))});
  }
  return table.str();
}

// Says why FuncPipe's gains are below the paper's ranges, as far as the figures tell.
std::string why_below(const Comparison& comparison) {
  int all = 0, below = 0, nothing = 0, little = 0;
  for (const Cell& cell : comparison.cells) {
    const auto one = gain(cell, System::published, is_framework);
    if (!one) continue;
    ++all;
    if (band_of(one->speedup, kPaperSpeedup) != Band::below && band_of(one->saving, kPaperSaving) != Band::below)
      continue;
    ++below;
    nothing += rest(*one) == Rest::nothing ? 1 : 0;
    little += rest(*one) == Rest::little ? 1 : 0;
  }
  if (below == 0) return "";
  std::string text = fmt::format(
      "Against the frameworks' plan of least seconds x dollars, speed-up or saving is below its band in {} of all {} "
      "cells.",
      below, all);
  if (nothing > 0)
    text += fmt::format(
        " In {} of these that plan is one function that holds the whole model: it pays for computing and for nothing "
        "else.",
        nothing);
  if (little > 0)
    text += fmt::format(" In {} it is several functions that compute for over {} of the time.", little,
                        percent(kMostlyComputing));
  if (nothing + little > 0) {
    std::set<double> speeds;
    for (const Ground& ground : comparison.grounds) speeds.insert(ground.profile.vcpu_speed);
    text += fmt::format(
        " The slower a function computes, the less its network matters: a vCPU is taken as {:g} of a core of the "
        "machine "
        "the profiles were measured on. The profiles behind the paper's figures are not public.",
        fmt::join(speeds, ", "));
  }
  return text + "\n\n";
}

std::string paper_section(const Comparison& comparison) {
  std::string text = "## FuncPipe as published against the best serverless framework\n\n";
  text += fmt::format(
      "The paper: {} to {} faster and {} to {} cheaper than the best serverless framework. What that framework's best "
      "configuration is decides the outcome, so there are two answers.\n\n",
      times(kPaperSpeedup[0]), times(kPaperSpeedup[1]), percent(kPaperSaving[0]), percent(kPaperSaving[1]));
  text += "Against the frameworks' plan of least seconds x dollars, " + in_bands(comparison, Aim::between);
  text += "Against the frameworks' fastest plan, " + in_bands(comparison, Aim::time);
  text += small_case(comparison);
  text += "![speed-up and saving](gains.svg)\n\n";
  text +=
      "Plans of least seconds x dollars on both sides; dollars of 1000 iterations. *faster for no "
      "more*: "
      "our fastest plan that costs no more than the framework's; *cheaper in no more*: the cheapest that takes no "
      "longer. "
      "*why*: what the framework's own plan leaves to gain.\n\n" +
      bands_table(comparison) +
      "Against the frameworks' fastest plan (FuncPipe's is still that of least seconds x dollars):\n\n" +
      fastest_table(comparison);
  return text + why_below(comparison);
}

std::string ours_section(const Comparison& comparison) {
  std::string text = "## Ours\n\n";
  int covered = 0, borrowed = 0, feasible = 0, only_ours = 0, behind = 0;
  std::vector<std::string> lost;
  MarkdownTable table({"platform", "model", "batch", "published s", "dollars", "ours s", "dollars", "speed-up",
                       "saving", "fastest", "cheapest", "best of all others", "faster for no more",
                       "cheaper in no more"});
  for (const Cell& cell : comparison.cells) {
    const SystemResult &published = cell.of(System::published), &ours = cell.of(System::ours);
    if (!ours.feasible()) continue;
    if (!published.feasible()) ++only_ours;
    ++feasible;
    borrowed += ours.borrowed > 0 ? 1 : 0;
    if (cell.ours_covers_published())
      ++covered;
    else
      lost.push_back(name_of_cell(cell));
    const auto over_published = gain(cell, System::ours, [](System system) { return system == System::published; });
    const auto over_all = gain(cell, System::ours, everyone_but_ours);
    if (over_all && over_all->rival->at(Aim::between).product() < ours.at(Aim::between).product()) ++behind;
    std::vector<std::string> row = {cell.platform, cell.model, fmt::format("{}", cell.batch)};
    row.push_back(published.feasible() ? seconds_text(published.at(Aim::between)) : "-");
    row.push_back(published.feasible() ? dollars_text(published.at(Aim::between)) : "-");
    row.push_back(seconds_text(ours.at(Aim::between)));
    row.push_back(dollars_text(ours.at(Aim::between)));
    for (const auto& figure :
         {over_published ? times(over_published->speedup) : "-", over_published ? percent(over_published->saving) : "-",
          over_published ? times(over_published->fastest) : "-",
          over_published ? percent(over_published->cheapest) : "-"})
      row.push_back(figure);
    row.push_back(over_all ? std::string(name_of(over_all->rival->system)) : "-");
    row.push_back(over_all && over_all->faster_for_no_more > 1 ? times(over_all->faster_for_no_more) : "none");
    row.push_back(over_all && over_all->cheaper_in_no_more > 0 ? percent(over_all->cheaper_in_no_more) : "none");
    table.row(std::move(row));
  }
  text += fmt::format(
      "Of {} cells ours has, for every plan that FuncPipe as published chooses (for time, for cost, in between), one "
      "that "
      "is neither slower nor dearer in {}{}. In {} of them the simulator had to decide for a plan of the published "
      "planner's, which is in our search space too: there our formula had ranked a plan higher that is slower when "
      "played.",
      feasible, covered, lost.empty() ? "" : fmt::format("; not in: {}", list_of(lost)), borrowed);
  text += fmt::format(
      " Against all others: in {} of {} cells another planner's plan of least seconds x dollars has a smaller product "
      "when "
      "played than ours.",
      behind, feasible);
  if (only_ours > 0) text += fmt::format(" In {} cells nothing of the published planner's fits.", only_ours);
  text +=
      "\n\n*speed-up, saving*: plans of least seconds x dollars, over FuncPipe as published; *fastest, cheapest*: each "
      "side's own. The last three columns: against the best plan (least seconds x dollars) of all other systems.\n\n" +
      table.str();
  return text;
}

std::string agreement(const Comparison& comparison) {
  int played = 0, apart = 0;
  double most = 1;
  std::string where;
  for (const Cell& cell : comparison.cells)
    for (const SystemResult& system : cell.systems) {
      if (!system.feasible()) continue;
      for (const Aim aim : kAims) {
        const PlayedPlan& plan = system.at(aim);
        ++played;
        apart += differs(plan) ? 1 : 0;
        const double ratio = plan.seconds / plan.predicted_seconds;
        if (std::max(ratio, 1 / ratio) <= std::max(most, 1 / most)) continue;
        most = ratio;
        where = fmt::format("{}, {} ({})", name_of_cell(cell), name_of(system.system), name_of(aim));
      }
    }
  std::string text = fmt::format(
      "## Arithmetic and simulation\n\n{} of the {} chosen plans that were simulated take over 5% more or less than "
      "their "
      "planner's arithmetic says; [plans.md](plans.md) shows both where they do.",
      apart, played);
  if (!where.empty())
    text += fmt::format(
        " The furthest: {} times the predicted seconds ({}). The arithmetic knows nothing of what the store gives all "
        "functions together (requests a second, bytes a second) nor of polling; the simulator does.",
        fmt::format("{:.2f}", most), where);
  return text +
         " How far the simulator is from training for real: `./dev bench prediction` and `./dev bench systems`, which "
         "trains small models as each system would; figures in docs/benchmarks.md.\n\n";
}

}  // namespace

std::string verdict_page(const Comparison& comparison) {
  std::string text =
      "# The paper's comparison\n\nWritten by `funcpipe bench paper`, words included: do not edit. Nothing here was "
      "rented: profiles were measured, platforms are files, iterations are simulated.\n\n"
      "* [Every system's best plans](plans.md) and frontiers\n* [Where the time goes](breakdown.md)\n"
      "* [Summing gradients](all-reduce.md)\n* [Throughput against workers](scaling.md)\n"
      "* [Each step alone](ablation.md)\n* [Other networks](sensitivity.md)\n\n";
  return text + words_first(comparison) + paper_section(comparison) + ours_section(comparison) + agreement(comparison) +
         inputs(comparison);
}

}  // namespace funcpipe
