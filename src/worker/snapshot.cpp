#include "worker/snapshot.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "base/crc32c.h"
#include "base/files.h"
#include "base/json_complaint.h"
#include "base/visible.h"

namespace funcpipe {
namespace {

// Layout: magic, CRC-32C of the rest, length of the JSON, JSON, stage, optimiser. Numbers are little-endian.
constexpr std::string_view kName = "FPSNAP", kVersion = "01", kMagic = "FPSNAP01";
constexpr std::size_t kHead = kMagic.size() + 4 + 4;

std::uint32_t checksum(std::string_view bytes) {
  return crc32c(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

}  // namespace

EncodedSnapshot encode(const Snapshot& snapshot) {
  const std::string json = nlohmann::json{
      {"iteration", snapshot.iteration},
      {"validation_rounds", snapshot.validation_rounds},
      {"iteration_seconds", snapshot.iteration_seconds},
      {"validation_seconds", snapshot.validation_seconds},
      {"unreported", to_json(snapshot.unreported)},
      {"stage_bytes",
       snapshot.stage.size()}}.dump();
  EncodedSnapshot encoded{std::string(kHead, '\0') + json, {as_bytes(snapshot.stage), as_bytes(snapshot.optimizer)}};
  char* const head = encoded.head.data();
  const auto length = static_cast<std::uint32_t>(json.size());
  std::memcpy(head, kMagic.data(), kMagic.size());
  std::memcpy(head + kMagic.size() + 4, &length, 4);
  std::uint32_t sum = checksum(std::string_view(encoded.head).substr(kMagic.size() + 4));
  for (const ConstBytes piece : encoded.rest) sum = crc32c(piece, sum);
  std::memcpy(head + kMagic.size(), &sum, 4);
  return encoded;
}

Result<Snapshot> decode_snapshot(std::string_view bytes, const std::string& place) {
  const auto corrupt = [&](std::string what) {
    return fail(ErrorCode::corrupt, "not a snapshot of a worker: " + std::move(what), place);
  };
  if (bytes.size() < kHead || !bytes.starts_with(kName)) return corrupt("wrong beginning");
  if (const std::string_view version = bytes.substr(kName.size(), kVersion.size()); version != kVersion)
    return fail(ErrorCode::invalid_input,
                fmt::format("snapshot format version {}, this program reads version {}", visible(version), kVersion),
                place, "go on with the release of funcpipe that began the job, or train again");
  std::uint32_t sum = 0, length = 0;
  std::memcpy(&sum, bytes.data() + kMagic.size(), 4);
  std::memcpy(&length, bytes.data() + kMagic.size() + 4, 4);
  if (sum != checksum(bytes.substr(kMagic.size() + 4))) return corrupt("its checksum does not fit");
  bytes.remove_prefix(kHead);
  if (length > bytes.size()) return corrupt("cut off");
  FUNCPIPE_TRY(json, parse_json(bytes.substr(0, length), place));
  bytes.remove_prefix(length);
  Snapshot snapshot;
  try {
    snapshot.iteration = json.at("iteration").get<std::int64_t>();
    snapshot.validation_rounds = json.at("validation_rounds").get<std::int64_t>();
    snapshot.iteration_seconds = json.at("iteration_seconds").get<double>();
    snapshot.validation_seconds = json.at("validation_seconds").get<double>();
    const auto stage_bytes = json.at("stage_bytes").get<std::size_t>();
    if (stage_bytes > bytes.size()) return corrupt("cut off");
    snapshot.stage = bytes.substr(0, stage_bytes);
    snapshot.optimizer = bytes.substr(stage_bytes);
    FUNCPIPE_TRY(unreported, iteration_reports_from_json(json.at("unreported")));
    snapshot.unreported = std::move(unreported);
  } catch (const nlohmann::json::exception& error) {
    return corrupt(json_complaint(error));
  }
  return snapshot;
}

}  // namespace funcpipe
