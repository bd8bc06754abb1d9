#pragma once

#include <functional>
#include <string_view>

namespace funcpipe {

// Where progress is drawn: a terminal, a pipe, or a string in a test.
struct Screen {
  bool live = false;                            // a terminal: lines can be redrawn in place
  std::function<int()> width;                   // columns now
  std::function<void(std::string_view)> write;  // at once, whole
};

// Of the terminal that a descriptor writes to; where it writes to none, more than any line has.
int columns_of(int descriptor);

// Standard error, with its width as of each call; not live where TERM is "dumb".
Screen standard_error_screen();

}  // namespace funcpipe
