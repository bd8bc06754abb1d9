#include "emulator/isolation/leftovers.h"

#include <boost/asio/io_context.hpp>

#include "emulator/isolation/isolation.h"

namespace funcpipe {

void remove_leftover_groups() {
  boost::asio::io_context context;
  // Whoever makes groups of his own clears dead ones away first.
  static_cast<void>(make_isolation(context.get_executor(), IsolationKind::automatic));
}

}  // namespace funcpipe
