// FUNCPIPE_CHECK(condition, format, arguments...) checks an invariant of our own code. If the condition is false it
// prints the place, the condition and the formatted text, and aborts. It does so in every build.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace funcpipe {
[[noreturn]] inline void broken_invariant(const char* file, int line, const char* condition, const std::string& what) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s: %s\n", file, line, condition, what.c_str());
  std::abort();
}
}  // namespace funcpipe

#define FUNCPIPE_CHECK(condition, ...) \
  (static_cast<bool>(condition)        \
       ? void(0)                       \
       : ::funcpipe::broken_invariant(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)))
