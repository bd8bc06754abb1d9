#include "emulator/isolation/leftovers.h"

#include <boost/asio/io_context.hpp>

#include "emulator/isolation/isolation.h"

namespace funcpipe {

void remove_leftover_groups() {
  boost::asio::io_context context;
  // Making an isolation removes dead groups first.
  static_cast<void>(make_isolation(context.get_executor(), IsolationKind::automatic));
}

}  // namespace funcpipe
