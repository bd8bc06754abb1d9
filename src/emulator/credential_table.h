// Who may call the emulator's services, how fast, and on whose account: one entry for the client and one per instance.
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
  std::string label = "client";     // whose line of the bill: a function's name, or "client"
  Route uplink, downlink;           // empty for the client, who is not shaped
  Latency latency;                  // waited per request, after dilation
  bool instance = false;            // a function's: it may use the store, not the function service
  std::optional<StoreScope> scope;  // of an instance: nullopt is the whole store
};

// Lives on the io_context's thread.
class CredentialTable {
 public:
  // Credentials nobody else has, in the form AWS gives them: AKIA... long-lived, ASIA... with a session token.
  static Credentials make(bool with_session_token);

  void add(Account account);
  // Requests under way finish; later ones are answered with InvalidAccessKeyId.
  void remove(const std::string& access_key_id);
  // nullptr if there is none. Shared with the request, which may outlive the entry.
  std::shared_ptr<const Account> find(const std::string& access_key_id) const;

 private:
  std::map<std::string, std::shared_ptr<const Account>, std::less<>> accounts_;
};

}  // namespace funcpipe
