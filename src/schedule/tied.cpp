#include "schedule/tied.h"

#include <algorithm>

#include "base/check.h"

namespace funcpipe {

void append_tied_exchange(ProgramBuilder& builder, const TiedOptions& options) {
  const auto [stage, replica] = options.worker;
  std::vector<int> published;
  for (const StageShape::Tied& tied : options.tied) {
    if (tied.slice.elements == 0 || tied.stages.size() < 2) {
      published.push_back(-1);
      continue;
    }
    std::vector<WorkerId> readers;
    for (auto user = tied.stages.begin(); user != tied.stages.end(); ++user)
      if (*user != stage || user - tied.stages.begin() >= 2) readers.push_back({*user, replica});
    published.push_back(builder.add({.kind = OpKind::publish,
                                     .object = {ObjectKind::tied, stage, replica, tied.parameter},
                                     .readers = std::move(readers),
                                     .slice = tied.slice}));
  }
  for (std::size_t i = 0; i < options.tied.size(); ++i) {
    if (published[i] < 0) continue;
    const StageShape::Tied& tied = options.tied[i];
    const auto own = std::find(tied.stages.begin(), tied.stages.end(), stage);
    FUNCPIPE_CHECK(own != tied.stages.end(), "stage {} is none of the users of parameter {}", stage, tied.parameter);
    const bool overwritten = own - tied.stages.begin() >= 2;
    for (auto user = tied.stages.begin(); user != tied.stages.end(); ++user) {
      Op fetch{
          .kind = OpKind::fetch, .object = {ObjectKind::tied, *user, replica, tied.parameter}, .slice = tied.slice};
      if (user == own) {
        if (!overwritten) continue;
        fetch.after.push_back({published[i], 0});
      } else if (options.wait_after >= 0) {
        fetch.after.push_back({options.wait_after, 0});
      }
      if (overwritten && user == tied.stages.begin()) {
        fetch.kind = OpKind::fetch_into;
        builder.add(std::move(fetch));
        continue;
      }
      const int source = builder.add(std::move(fetch));
      builder.add({.kind = OpKind::reduce, .slice = tied.slice, .source = source});
    }
  }
}

}  // namespace funcpipe
