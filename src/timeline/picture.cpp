#include "timeline/picture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/svg.h"
#include "base/units.h"
#include "timeline/picture_rows.h"
#include "timeline/words.h"

namespace funcpipe {
namespace {

constexpr double kWidth = 1200, kLeft = 128, kRight = 20, kTop = 126, kBottom = 30;  // pixels
constexpr double kNarrow = 0.8;  // Bars narrower than this many pixels are drawn together with their neighbours.
constexpr double kReasonSize = 9.5;
constexpr std::string_view kPath = "#111111", kFaint = "#777777", kGrid = "#dddddd", kStill = "#f3f3f3";

struct Style {
  std::string_view name, fill, ink;
};

// Styles by Purpose. The colours are those of Okabe and Ito, which people with any kind of colour vision can tell apart
// (jfly.uni-koeln.de/color).
constexpr std::array<Style, kPurposes> kStyles{{{"forward", "#0072B2", "white"},
                                                {"backward", "#D55E00", "white"},
                                                {"update", "#009E73", "white"},
                                                {"addition", "#F0E442", "#222"},
                                                {"activations", "#56B4E9", "#222"},
                                                {"their gradients", "#E69F00", "#222"},
                                                {"synchronisation", "#CC79A7", "#222"},
                                                {"data", "#999999", "#222"},
                                                {"report, removal", "#c4c4c4", "#222"}}};

const Style& style_of(OpKind kind) {
  return kStyles[static_cast<std::size_t>(traits(kind).purpose)];
}

double text_width(std::string_view text, double size) {
  return 0.56 * size * static_cast<double>(text.size());  // The mean width of a letter in Helvetica.
}

// Returns as much of a reason as fits: all of it, or only what is waited for, or nothing.
std::string_view fitting(std::string_view reason, double width) {
  for (const std::string_view end : {", which", " from ", " to upload", "\n"}) {
    reason = reason.substr(0, reason.find(end));
    if (text_width(reason, kReasonSize) < width) return reason;
  }
  constexpr std::string_view kWaits = "waits for ";
  if (reason.substr(0, kWaits.size()) == kWaits) reason.remove_prefix(kWaits.size());
  return text_width(reason, kReasonSize) < width ? reason : "";
}

struct Unit {
  double per_second = 1;
  std::string_view name = "seconds";
};

// Returns round times that are at least 60 pixels apart.
std::vector<Seconds> ticks(Seconds length, const Unit& unit) {
  const double most = (kWidth - kLeft - kRight) / 60;
  const double rough = length * unit.per_second / most, decade = std::pow(10, std::floor(std::log10(rough)));
  const double step = decade * (rough <= decade ? 1 : rough <= 2 * decade ? 2 : rough <= 5 * decade ? 5 : 10);
  std::vector<Seconds> found;
  for (int i = 0; i * step <= length * unit.per_second * (1 + 1e-9); ++i) found.push_back(i * step / unit.per_second);
  return found;
}

class Drawing {
 public:
  Drawing(const Played& played, const CriticalPath& path, const Utilisation& use, const PictureOptions& options)
      : played_(played),
        path_(path),
        use_(use),
        rows_(played, path, options.most_workers, kTop),
        unit_(path.to - path.from >= 2      ? Unit{1, "seconds"}
              : path.to - path.from >= 0.01 ? Unit{1e3, "milliseconds"}
                                            : Unit{1e6, "microseconds"}),
        svg_(kWidth, rows_.bottom() + kBottom, options.title) {
    for (const PathStep& step : path.steps) critical_.insert(step.op);
    svg_.hatching("still", kStill, "#d2d2d2");
    svg_.text(16, 26, options.title, {.size = 16, .bold = true});
    svg_.text(16, 46, summary(), {.colour = "#444"});
    legend(70);
    axis();
    for (const WorkerRows& worker : rows_.workers()) draw(worker);
    boundaries();
    chain();
    const auto all = played.programs().size();
    svg_.text(kWidth - kRight, rows_.bottom() + 18,
              rows_.workers().size() < all
                  ? fmt::format("{} of {} workers: those on the critical path, then replicas in order",
                                rows_.workers().size(), all)
                  : "",
              {.size = 11, .anchor = Anchor::end, .colour = kFaint});
  }
  std::string str() const { return svg_.str(); }

 private:
  double x(Seconds time) const {
    const double share = (std::clamp(time, path_.from, path_.to) - path_.from) / (path_.to - path_.from);
    return kLeft + share * (kWidth - kLeft - kRight);
  }
  std::string when(Seconds time) const { return format_seconds(std::max(0.0, time - path_.from)); }

  std::string summary() const {
    const auto count = static_cast<double>(path_.range.end - path_.range.first);
    const Shares shares = use_.shares();
    const auto percent = [&](Seconds part) { return 100 * part / shares.sum(); };
    const std::string polling =
        played_.tells_polling() ? fmt::format(", polling {:.0f}%", percent(shares.polling)) : "";
    return fmt::format(
        "{} an iteration. Of a worker's time: compute {:.0f}%, pipeline transfer {:.0f}%, synchronisation {:.0f}%, "
        "bubble {:.0f}%{}, other {:.0f}%",
        format_seconds((path_.to - path_.from) / count), percent(shares.compute), percent(shares.pipeline),
        percent(shares.synchronisation), percent(shares.bubble), polling, percent(shares.data + shares.other));
  }

  void legend(double y) {
    double at = 16;
    const auto name = [&](std::string_view words) {
      svg_.text(at, y + 9, words, {.size = 11});
      at += text_width(words, 11) + 16;
    };
    for (const Style& style : kStyles) {
      svg_.rectangle(at, y, 14, 10, style.fill);
      at += 19;
      name(style.name);
    }
    svg_.rectangle(at, y, 14, 10, "url(#still)");
    at += 19;
    name("idle");
    svg_.rectangle(at, y, 14, 10, "white", {.edge = kPath, .edge_width = 2});
    svg_.line(at + 14, y + 5, at + 22, y + 5, kPath, 2);
    at += 27;
    name("critical path");
  }

  void axis() {
    for (const Seconds tick : ticks(path_.to - path_.from, unit_)) {
      const double at = x(path_.from + tick);
      svg_.line(at, kTop - 6, at, rows_.bottom() - 5, kGrid);
      svg_.text(at, kTop - 10, fmt::format("{:g}", std::round(tick * unit_.per_second * 1e6) / 1e6),
                {.size = 11, .anchor = Anchor::middle, .colour = "#444"});
    }
    svg_.text(kLeft - 12, kTop - 10, unit_.name, {.size = 11, .anchor = Anchor::end, .colour = "#444"});
  }

  void draw(const WorkerRows& rows) {
    const WorkerId id = played_.programs()[static_cast<std::size_t>(rows.worker)].worker;
    const Row& compute = rows.lanes[0];
    const bool serves = id == kParameterServer;
    svg_.text(16, compute.centre() + 4, serves ? "server" : fmt::format("stage {}", id.stage),
              {.size = 11, .bold = true});
    svg_.text(16, std::max(compute.y + compute.height + 11, compute.centre() + 15),
              serves ? "sums" : fmt::format("replica {}", id.replica), {.size = 10, .colour = "#444"});
    const WorkerUse& use = use_.workers[static_cast<std::size_t>(rows.worker)];
    for (const Lane lane : {Lane::compute, Lane::download, Lane::upload}) {
      const Row& row = rows.lanes[static_cast<std::size_t>(lane)];
      svg_.text(kLeft - 8, row.centre() + 3, to_string(lane),
                {.size = std::min(9.0, std::max(row.height, 6.0)), .anchor = Anchor::end, .colour = "#444"});
      svg_.rectangle(kLeft, row.y, kWidth - kLeft - kRight, row.height, kStill);
      for (const Gap& gap : use.gaps[static_cast<std::size_t>(lane)]) draw(gap, row);
    }
    std::vector<int> narrow;
    for (const int op : rows.ops) {
      const PlayedOp& at = played_.at(op);
      const bool merge = critical_.count(op) == 0 && x(at.event.end) - x(at.active) < kNarrow;
      if (!narrow.empty() && (!merge || !neighbours(narrow.back(), op))) draw_together(narrow);
      if (merge)
        narrow.push_back(op);
      else
        draw(op);
    }
    if (!narrow.empty()) draw_together(narrow);
  }

  void draw(const Gap& gap, const Row& row) {
    const double width = x(gap.to) - x(gap.from);
    if (width < kNarrow) return;
    const std::string why = reason(played_, gap);
    std::string tooltip =
        fmt::format("idle for {}: {} to {}\n{}", format_seconds(gap.seconds()), when(gap.from), when(gap.to), why);
    for (const std::string& part : parts(played_, gap, 4)) tooltip += "\n  " + part;
    const bool compute = gap.lane == Lane::compute;
    const std::string_view label = fitting(why, width - 8);
    svg_.rectangle(x(gap.from), row.y, width, row.height, compute ? "url(#still)" : kStill, {.tooltip = tooltip});
    if (compute && row.height >= kReasonSize + 3 && !label.empty()) {
      const double half = text_width(label, kReasonSize) / 2 + 2, middle = (x(gap.from) + x(gap.to)) / 2;
      svg_.rectangle(middle - half, row.centre() - 6, 2 * half, 12, kStill, {.tooltip = tooltip});
      svg_.text(middle, row.centre() + 3.5, label, {.size = kReasonSize, .anchor = Anchor::middle, .colour = "#333"});
    }
  }

  bool neighbours(int a, int b) const {
    const Row *above = rows_.row_of(a), *below = rows_.row_of(b);
    const PlayedOp &before = played_.at(a), &after = played_.at(b);
    return above->y == below->y && x(after.active) - x(before.event.end) < kNarrow &&
           &style_of(played_.op(before).kind) == &style_of(played_.op(after).kind);
  }

  void draw(int index) {
    const PlayedOp& at = played_.at(index);
    const Op& op = played_.op(at);
    const Row& row = *rows_.row_of(index);
    const Style& style = style_of(op.kind);
    const double from = x(at.active), width = std::max(x(at.event.end) - from, 0.3);
    const bool critical = critical_.count(index) != 0;
    std::string tooltip = fmt::format("{}, iteration {}\n{} to {}: {}", in_words(op), at.event.iteration,
                                      when(at.active), when(at.event.end), format_seconds(at.event.end - at.active));
    if (at.active > at.event.start)
      tooltip += fmt::format("\nasked for {} before", format_seconds(at.active - at.event.start));
    tooltip += "\n" + reason(played_, at);
    if (critical) tooltip += "\non the critical path";
    const double room = row.height >= 8 ? 0.5 : 0.25;
    svg_.rectangle(from, row.y + room, width, row.height - 2 * room, style.fill,
                   {.edge = "white", .edge_width = 0.4, .tooltip = tooltip});
    const double size = std::min(10.5, row.height);
    const std::string number = op.micro_batch >= 0 ? std::to_string(op.micro_batch) : "";
    if (size >= 9 && !number.empty() && text_width(number, size) < width - 2)
      svg_.text(from + width / 2, row.centre() + 0.36 * size, number,
                {.size = size, .anchor = Anchor::middle, .colour = style.ink});
  }

  void draw_together(std::vector<int>& ops) {
    if (ops.size() == 1) {
      draw(ops.front());
    } else {
      const PlayedOp &first = played_.at(ops.front()), &last = played_.at(ops.back());
      const Row& row = *rows_.row_of(ops.front());
      svg_.rectangle(
          x(first.active), row.y, std::max(x(last.event.end) - x(first.active), 0.3), row.height,
          style_of(played_.op(first).kind).fill,
          {.tooltip = fmt::format("{} operations from {} to {}, the first: {}\n{}", ops.size(), when(first.active),
                                  when(last.event.end), in_words(played_.op(first)), reason(played_, first))});
    }
    ops.clear();
  }

  void boundaries() {
    for (std::int64_t iteration = path_.range.first; iteration < path_.range.end; ++iteration) {
      const auto end = played_.updated(iteration), begin = played_.updated(iteration - 1);
      if (!end) continue;
      const Seconds from = begin.value_or(path_.from);
      if (iteration > path_.range.first) svg_.line(x(from), kTop - 26, x(from), rows_.bottom() - 5, "#444", 1.2);
      svg_.text((x(from) + x(*end)) / 2, kTop - 22, fmt::format("iteration {}", iteration),
                {.size = 11, .anchor = Anchor::middle, .bold = true});
    }
  }

  void chain() {
    const PathStep* before = nullptr;
    for (const PathStep& step : path_.steps) {
      const Row* row = rows_.row_of(step.op);
      if (row == nullptr) {
        before = nullptr;
        continue;
      }
      if (before != nullptr)
        svg_.path({{x(before->to), rows_.row_of(before->op)->centre()}, {x(step.from), row->centre()}}, kPath, 1.6);
      if (step.begun > step.from)
        svg_.path({{x(step.from), row->centre()}, {x(step.begun), row->centre()}}, kPath, 1.6);
      if (step.to > step.begun)
        svg_.outline(x(step.begun), row->y + 0.5, std::max(x(step.to) - x(step.begun), 0.5), row->height - 1, kPath,
                     1.8);
      before = &step;
    }
  }

  const Played& played_;
  const CriticalPath& path_;
  const Utilisation& use_;
  const PictureRows rows_;
  const Unit unit_;
  Svg svg_;
  std::set<int> critical_;
};

}  // namespace

std::string timeline_picture(const Played& played, const CriticalPath& path, const Utilisation& use,
                             const PictureOptions& options) {
  return Drawing(played, path, use, options).str();
}

}  // namespace funcpipe
