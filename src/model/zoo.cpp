#include "model/zoo.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/nearest.h"
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
  const std::vector<Option> gpt{{"layers", Type::integer, "4"},  {"width", Type::integer, "128"},
                                {"heads", Type::integer, "4"},   {"context", Type::integer, "128"},
                                {"vocab", Type::integer, "256"}, {"dropout", Type::real, "0", 0, 0.99, {}}};
  const std::vector<Option> resnet{{"blocks", Type::integers, "1,1,1,1"},
                                   {"block", Type::text, "bottleneck", 0, 0, {"basic", "bottleneck"}},
                                   {"classes", Type::integer, "10"},
                                   {"size", Type::integer, "64", 32, 4096, {}},
                                   {"input", Type::text, "float32", 0, 0, {"float32", "uint8"}}};
  const std::vector<Option> bert{{"layers", Type::integer, "4"},
                                 {"width", Type::integer, "256"},
                                 {"heads", Type::integer, "4"},
                                 {"vocab", Type::integer, "8000"},
                                 {"seq", Type::integer, "64"},
                                 {"classes", Type::integer, "2"},
                                 {"dropout", Type::real, "0.1", 0, 0.99, {}},
                                 {"embeddings", Type::text, "trained", 0, 0, {"trained", "frozen"}}};
  const std::vector<Option> amoebanet{{"cells", Type::integer, "3", 3, 999, {}},
                                      {"filters", Type::integer, "32", 16, 4096, {}},
                                      {"classes", Type::integer, "10"},
                                      {"size", Type::integer, "64", 32, 4096, {}}};
  const auto large_resnet = [](const char* blocks, const char* block) {
    return std::map<std::string, std::string>{
        {"blocks", blocks}, {"block", block}, {"classes", "1000"}, {"size", "224"}};
  };
  const auto large_amoebanet = [](const char* cells) {
    return std::map<std::string, std::string>{
        {"cells", cells}, {"filters", "256"}, {"classes", "1000"}, {"size", "224"}};
  };
  // BERT-Large as FuncPipe's evaluation has it: 1153 MiB of parameters are the 24 encoder layers alone, so the tables
  // of the embedding are buffers; "?embeddings=trained" makes them parameters, 1273 MiB in all.
  const std::map<std::string, std::string> large_bert{{"layers", "24"},   {"width", "1024"}, {"heads", "16"},
                                                      {"vocab", "30522"}, {"seq", "64"},     {"embeddings", "frozen"}};
  return {{"fashion-cnn", zoo::fashion_cnn, fashion, {}},
          {"char-gpt", zoo::char_gpt, gpt, {}},
          {"resnet", zoo::resnet, resnet, {}},
          {"resnet18", zoo::resnet, resnet, large_resnet("2,2,2,2", "basic")},
          {"resnet50", zoo::resnet, resnet, large_resnet("3,4,6,3", "bottleneck")},
          {"resnet101", zoo::resnet, resnet, large_resnet("3,4,23,3", "bottleneck")},
          {"bert", zoo::bert, bert, {}},
          {"bert-large", zoo::bert, bert, large_bert},
          {"amoebanet", zoo::amoebanet, amoebanet, {}},
          {"amoebanet-d18", zoo::amoebanet, amoebanet, large_amoebanet("18")},
          {"amoebanet-d36", zoo::amoebanet, amoebanet, large_amoebanet("36")}};
}

std::vector<std::string> names(const std::vector<Entry>& entries) {
  std::vector<std::string> list;
  list.reserve(entries.size());
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
    const auto near = nearest("zoo:" + base, names(entries));
    return fail(
        ErrorCode::invalid_input,
        fmt::format("there is no model of this name in the zoo{}", near.empty() ? "" : "; did you mean " + near + "?"),
        place, fmt::format("the zoo has {}", fmt::join(names(entries), ", ")));
  }
  FUNCPIPE_TRY(options, zoo::Options::parse(entry->options, entry->preset, query, place));
  zoo::Initialiser init(mix(seed, {0x7a6f6f}));  // gives other draws than the seeds of training
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
