#include "model/zoo.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "model/torch_error.h"
#include "model/zoo/families.h"

namespace funcpipe {
namespace {

using zoo::Option;
using Type = zoo::Option::Type;

struct Entry {
  std::string name;
  ZooModel (*build)(const zoo::Options&, zoo::Initialiser&);
  std::vector<Option> options;
  std::map<std::string, std::string> preset;
};

std::vector<Entry> catalogue() {
  const std::vector<Option> fashion{{"width", Type::integer, "16", 1, 1024, {}}, {"classes", Type::integer, "10"}};
  return {{"fashion-cnn", zoo::fashion_cnn, fashion, {}}};
}

std::vector<std::string> names(const std::vector<Entry>& entries) {
  std::vector<std::string> list;
  for (const auto& entry : entries) list.push_back("zoo:" + entry.name);
  return list;
}

}  // namespace

Result<ZooModel> make_zoo_model(const std::string& name, std::uint64_t seed) {
  const auto entries = catalogue();
  const auto mark = name.find('?');
  const std::string base = name.substr(0, mark);
  const std::string query = mark == std::string::npos ? "" : name.substr(mark + 1);
  const std::string place = "zoo:" + name;
  const auto entry = std::ranges::find(entries, base, &Entry::name);
  if (entry == entries.end()) {
    const auto near = zoo::nearest("zoo:" + base, names(entries));
    return fail(
        ErrorCode::invalid_input,
        fmt::format("there is no model of this name in the zoo{}", near.empty() ? "" : "; did you mean " + near + "?"),
        place, fmt::format("the zoo has {}", fmt::join(names(entries), ", ")));
  }
  FUNCPIPE_TRY(options, zoo::Options::parse(entry->options, entry->preset, query, place));
  zoo::Initialiser init(mix(seed, {0x7a6f6f}));  // apart from the seeds of training
  try {
    return entry->build(options, init);
  } catch (const std::exception& error) {
    return fail(ErrorCode::invalid_input, "the options do not fit together: " + first_lines(error), place);
  }
}

std::string zoo_help() {
  std::string text;
  for (const auto& entry : catalogue()) {
    std::vector<std::string> options;
    for (const auto& option : entry.options) {
      const auto set = entry.preset.find(option.name);
      options.push_back(option.name + "=" + (set == entry.preset.end() ? option.fallback : set->second));
    }
    text += fmt::format("zoo:{}?{}\n", entry.name, fmt::join(options, "&"));
  }
  return text;
}

}  // namespace funcpipe
