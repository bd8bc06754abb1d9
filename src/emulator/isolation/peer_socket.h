// Whose a connection over loopback is: the socket at its other end, and the process that holds that socket.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace funcpipe {

// The inode of the TCP socket bound to 127.0.0.1:`peer_port` and connected to 127.0.0.1:`own_port`, from the kernel's
// socket diagnosis or, without it, from /proc/net/tcp. nullopt if there is none (any more).
std::optional<std::uint64_t> loopback_peer(std::uint16_t peer_port, std::uint16_t own_port);

// Whether one of the processes holds the socket open. A process whose descriptors may not be read holds none.
bool holds_socket(const std::vector<pid_t>& processes, std::uint64_t inode);

}  // namespace funcpipe
