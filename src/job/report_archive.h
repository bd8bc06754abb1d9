#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "store/store.h"

namespace funcpipe {

// A view of a store through which a job's reports are read: each object that get() finds is appended to a file of this
// machine and then removed from the store, a batch of them in one request; what the file has already is read from
// there. So reports do not pile up in the store, and are not lost with the process that read them.
//
// What cannot be written to the file stays in the store. Thread-safe if `store` is, which must outlive it.
class ReportArchive final : public Store {
 public:
  ReportArchive(Store& store, std::filesystem::path file);

  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces,
                         PutMode mode = PutMode::overwrite) override;
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range = {}) override;  // whole objects only
  Result<std::optional<Bytes>> size(const std::string& key) override;
  Result<> remove(std::span<const std::string> keys) override;
  Result<std::vector<ListedObject>> list(const std::string& prefix) override;

 private:
  void read_file_in();
  bool append(const std::string& key, const std::string& text);

  Store& store_;
  const std::filesystem::path file_;
  std::mutex mutex_;                         // guards what follows
  std::map<std::string, std::string> read_;  // from the file, when it was opened
  Bytes size_ = 0;                           // of the file's whole lines
  std::vector<std::string> in_file_;         // that are still in the store
};

}  // namespace funcpipe
