// The accounts that may call the emulator's services: one for the client and one for each instance. An account says
// which bandwidth and latency it gets and to whom its use is billed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/units.h"
#include "catalog/bill.h"
#include "emulator/store_scope.h"
#include "emulator/token_bucket.h"
#include "store/credentials.h"

namespace funcpipe {

struct Account {
  Credentials credentials;
  std::string label = "client";  // whose line of the bill: "client" or a function's name
  Route uplink, downlink;        // empty for the client, whose traffic is not slowed
  Latency latency;               // waited on each request; dilation is already applied
  bool instance = false;  // true for an instance of a function: it may call the store, but not the function service
  std::optional<StoreScope> scope;  // the part of the store an instance may use; nullopt: all of it
};

// Used on the io_context's thread only.
class CredentialTable {
 public:
  // Makes new random credentials in AWS's form: AKIA... are long-lived, ASIA... have a session token.
  static Credentials make(bool with_session_token);

  void add(Account account);
  // Requests under way are finished. Later ones are refused with InvalidAccessKeyId.
  void remove(const std::string& access_key_id);
  // Returns nullptr if there is none. The account is shared with the request, which may outlive the table's entry.
  std::shared_ptr<const Account> find(const std::string& access_key_id) const;

 private:
  std::map<std::string, std::shared_ptr<const Account>, std::less<>> accounts_;
};

}  // namespace funcpipe
