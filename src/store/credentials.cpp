#include "store/credentials.h"

#include <cstdlib>

namespace funcpipe {

Result<Credentials> credentials_from_environment() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  Credentials credentials{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"),
                          variable("AWS_SESSION_TOKEN")};
  for (const auto& [name, value] : {std::pair("AWS_ACCESS_KEY_ID", &credentials.access_key_id),
                                    std::pair("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key)}) {
    if (value->empty()) {
      return fail(ErrorCode::permission_denied, fmt::format("the environment variable {} is not set", name), {},
                  "Export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary keys).");
    }
  }
  return credentials;
}

}  // namespace funcpipe
