#include "emulator/isolation/peer_socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace funcpipe {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

// Asks for exactly one socket (sock_diag(7)), so no table is searched.
std::optional<std::uint64_t> ask_kernel(std::uint16_t peer_port, std::uint16_t own_port) {
  const Descriptor netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (netlink.get() < 0) return {};
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = AF_INET;
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = ~0U;
  question.request.id.idiag_sport = htons(peer_port);
  question.request.id.idiag_dport = htons(own_port);
  question.request.id.idiag_src[0] = question.request.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
  question.request.id.idiag_cookie[0] = question.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(netlink.get(), &question, sizeof question, 0) < 0) return {};
  // The kernel's answer is there when send() has returned.
  alignas(nlmsghdr) std::array<char, 8192> answer;
  const ssize_t size = ::recv(netlink.get(), answer.data(), answer.size(), 0);
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return {};
  nlmsghdr header;
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return {};
  inet_diag_msg message;
  std::memcpy(&message, answer.data() + NLMSG_HDRLEN, sizeof message);
  if (ntohs(message.id.idiag_sport) != peer_port || ntohs(message.id.idiag_dport) != own_port ||
      message.idiag_inode == 0)
    return {};
  return message.idiag_inode;
}

// A line is "number: local remote state queues timer retransmits uid timeout inode ...", with addresses as HEX:PORT.
std::optional<std::uint64_t> find_in(const char* table, std::uint16_t peer_port, std::uint16_t own_port) {
  std::ifstream in(table);
  const std::string local = fmt::format(":{:04X}", peer_port), remote = fmt::format(":{:04X}", own_port);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string number, from, to, state, queues, timer, retransmits, uid, timeout;
    std::uint64_t inode = 0;
    if (!(fields >> number >> from >> to >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode))
      continue;
    // Matches 127.0.0.1, also as ::ffff:127.0.0.1 of a socket that can speak IPv6, too.
    const auto loopback = [](const std::string& address, const std::string& port) {
      return address.ends_with("0100007F" + port);
    };
    if (loopback(from, local) && loopback(to, remote) && inode != 0) return inode;
  }
  return {};
}

bool holds_socket(pid_t process, std::string_view wanted) {
  const std::string folder = fmt::format("/proc/{}/fd", process);
  DIR* descriptors = ::opendir(folder.c_str());
  if (!descriptors) return false;
  bool found = false;
  while (const dirent* entry = found ? nullptr : ::readdir(descriptors)) {
    std::array<char, 64> target;
    const ssize_t size = ::readlinkat(::dirfd(descriptors), entry->d_name, target.data(), target.size());
    found = size > 0 && std::string_view(target.data(), static_cast<std::size_t>(size)) == wanted;
  }
  ::closedir(descriptors);
  return found;
}

}  // namespace

std::optional<std::uint64_t> loopback_peer(std::uint16_t peer_port, std::uint16_t own_port) {
  if (const auto inode = ask_kernel(peer_port, own_port)) return inode;
  if (const auto inode = find_in("/proc/net/tcp", peer_port, own_port)) return inode;
  return find_in("/proc/net/tcp6", peer_port, own_port);
}

bool holds_socket(const std::vector<pid_t>& processes, std::uint64_t inode) {
  const std::string wanted = fmt::format("socket:[{}]", inode);
  for (const pid_t process : processes)
    if (holds_socket(process, wanted)) return true;
  return false;
}

}  // namespace funcpipe
