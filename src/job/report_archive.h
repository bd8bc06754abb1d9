#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "store/store.h"

namespace funcpipe {

// A view of a store through which a job's reports are read. Each object that get() finds is appended to a file on this
// machine and then removed from the store, several of them in one request. Objects that the file already has are read
// from the file. So reports neither pile up in the store nor are lost with the process that read them.
//
// An object that cannot be written to the file stays in the store. Thread-safe if `store` is. `store` must outlive it.
class ReportArchive final : public Store {
 public:
  ReportArchive(Store& store, std::filesystem::path file);

  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces,
                         PutMode mode = PutMode::overwrite) override;
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range = {}) override;  // requires that there is no range
  Result<std::optional<Bytes>> size(const std::string& key) override;
  Result<> remove(std::span<const std::string> keys) override;
  Result<std::vector<ListedObject>> list(const std::string& prefix) override;

 private:
  void read_file_in();
  bool append(const std::string& key, const std::string& text);

  Store& store_;
  const std::filesystem::path file_;
  std::mutex mutex_;                         // guards the members below
  std::map<std::string, std::string> read_;  // what the file had when it was opened
  Bytes size_ = 0;                           // of the file's complete lines
  std::vector<std::string> in_file_;         // those still in the store
};

}  // namespace funcpipe
