#pragma once

#include <functional>
#include <string_view>

namespace funcpipe {

// Where progress is drawn: a terminal, a pipe or, in tests, a string.
struct Screen {
  bool live = false;                            // true for a terminal, on which lines can be redrawn in place
  std::function<int()> width;                   // the present number of columns
  std::function<void(std::string_view)> write;  // writes all of the text at once
};

// Returns the columns of the terminal that a descriptor writes to. If it is no terminal, returns more than any line
// has.
int columns_of(int descriptor);

// Standard error, with the width it has at each call. It is not live if TERM is "dumb".
Screen standard_error_screen();

}  // namespace funcpipe
