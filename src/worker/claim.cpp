#include "worker/claim.h"

#include <charconv>
#include <string_view>

#include "protocol/job_keys.h"

namespace funcpipe {

Claim::Claim(Store& store, const std::string& prefix, WorkerId worker, std::int64_t incarnation)
    : store_(store), key_(claim_key(prefix, worker)), worker_(worker), incarnation_(incarnation) {}

Result<> Claim::take() {
  if (incarnation_ == 0) return {};
  FUNCPIPE_TRY_VOID(check());
  FUNCPIPE_TRY_VOID(store_.put(key_, std::to_string(incarnation_)));
  return {};
}

Result<> Claim::check() {
  FUNCPIPE_TRY(text, store_.get_text(key_));
  if (!text) return {};
  const std::string_view digits = *text;
  std::int64_t latest = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), latest);
  if (error != std::errc() || end != digits.data() + digits.size())
    return fail(ErrorCode::corrupt, "not the number of a worker's life", key_);
  if (latest <= incarnation_) return {};
  return fail(ErrorCode::cancelled, "a later function plays this worker by now, so this one ends", to_string(worker_));
}

}  // namespace funcpipe
