// Finds out to whom a loopback connection belongs: the socket at its other end, and the process that holds it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace funcpipe {

// Returns the inode of the TCP socket bound to 127.0.0.1:`peer_port` and connected to 127.0.0.1:`own_port`, or nullopt
// if there is none. Asks the kernel's socket diagnosis or, if that is missing, reads /proc/net/tcp.
std::optional<std::uint64_t> loopback_peer(std::uint16_t peer_port, std::uint16_t own_port);

// True if one of the processes has the socket open. A process whose descriptors may not be read counts as having none.
bool holds_socket(const std::vector<pid_t>& processes, std::uint64_t inode);

}  // namespace funcpipe
