// Writes and reads structures whose members are all plain values. A structure lists its members once, in a function:
//   constexpr auto kMembers = [](auto& message, const auto& visit) { visit("status", message.status); ... };
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "protocol/json_fields.h"

namespace funcpipe {

template <class Message, class Members>
nlohmann::json write_members(const Message& message, const Members& members) {
  nlohmann::json object = nlohmann::json::object();
  members(message, [&](const char* key, const auto& value) { object[key] = value; });
  return object;
}

// Reads as strictly as Fields (config/json_fields.h). Error: invalid_input at `place`.
template <class Message, class Members>
Result<Message> read_members(const nlohmann::json& source, const std::string& place, const Members& members) {
  Message message;
  Fields fields(source, place);
  members(message, [&](const char* key, auto& value) { fields.read(key, value); });
  FUNCPIPE_TRY_VOID(fields.done());
  return message;
}

}  // namespace funcpipe
