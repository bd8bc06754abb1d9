#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <limits>

namespace funcpipe {

int columns_of(int descriptor) {
  winsize size{};
  const bool terminal = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return terminal ? int{size.ws_col} : std::numeric_limits<int>::max();
}

Screen standard_error_screen() {
  const char* kind = std::getenv("TERM");
  Screen screen;
  screen.live = ::isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
  screen.width = [] {
    constexpr int kUsual = 80;
    const int columns = columns_of(STDERR_FILENO);
    return columns < std::numeric_limits<int>::max() ? columns : kUsual;
  };
  screen.write = [](std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // nobody reads any more, but the job goes on
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  };
  return screen;
}

}  // namespace funcpipe
