// An HTTP server on loopback whose answers are written out byte by byte, for the ways in which real ones go wrong.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"

namespace funcpipe {

struct ScriptedRequest {
  std::string method, target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  int number = 0;      // of all requests, from 0
  int connection = 0;  // which connection it came over, from 0
};

struct ScriptedReply {
  std::string raw;     // written as it stands
  double wait = 0;     // seconds before the first byte
  bool close = false;  // after the last byte
};

inline ScriptedReply reply(int status, const std::string& body = {}, const std::string& headers = {}) {
  return {fmt::format("HTTP/1.1 {} Whatever\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body)};
}

class ScriptedServer {
 public:
  using Handler = std::function<ScriptedReply(const ScriptedRequest&)>;

  explicit ScriptedServer(Handler handler) : handler_(std::move(handler)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    FUNCPIPE_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener_, 64) == 0,
                   "cannot listen");
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
  }
  ~ScriptedServer() {
    stop_ = true;
    acceptor_ = {};
    connections_.clear();
    close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }

  std::vector<ScriptedRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  bool readable(int socket) const {  // false when the server is to stop
    while (!stop_) {
      pollfd one{socket, POLLIN, 0};
      if (poll(&one, 1, 20) > 0) return true;
    }
    return false;
  }

  void accept_all(const std::stop_token& stop) {
    for (int number = 0; !stop.stop_requested(); ++number) {
      if (!readable(listener_)) return;
      const int client = accept(listener_, nullptr, nullptr);
      connections_.emplace_back([this, client, number] {
        serve(client, number);
        close(client);
      });
    }
  }

  // Appends to `buffer` until `enough`; false at the end of the connection.
  bool read_until(int client, std::string& buffer, const std::function<bool()>& enough) const {
    char chunk[65536];
    while (!enough()) {
      if (!readable(client)) return false;
      const ssize_t got = recv(client, chunk, sizeof chunk, 0);
      if (got <= 0) return false;
      buffer.append(chunk, static_cast<std::size_t>(got));
    }
    return true;
  }

  static ScriptedRequest parse(const std::string& head) {
    ScriptedRequest request;
    const std::size_t first_line = head.find("\r\n");
    const std::size_t space = head.find(' ');
    request.method = head.substr(0, space);
    request.target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    for (std::size_t at = first_line + 2; at < head.size();) {
      const std::size_t end = head.find("\r\n", at);
      const std::size_t colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      const std::size_t value = head.find_first_not_of(' ', colon + 1);
      request.headers[name] = head.substr(value, end - value);
      at = end + 2;
    }
    return request;
  }

  void serve(int client, int connection) {
    std::string buffer;
    while (true) {
      std::size_t head_end = std::string::npos;
      if (!read_until(client, buffer, [&] { return (head_end = buffer.find("\r\n\r\n")) != std::string::npos; }))
        return;
      ScriptedRequest request = parse(buffer.substr(0, head_end + 2));
      const auto length = request.headers.find("content-length");
      const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
      if (!read_until(client, buffer, [&] { return buffer.size() >= head_end + 4 + size; })) return;
      request.body = buffer.substr(head_end + 4, size);
      buffer.erase(0, head_end + 4 + size);
      request.connection = connection;
      {
        const std::lock_guard lock(mutex_);
        request.number = static_cast<int>(requests_.size());
        requests_.push_back(request);
      }
      const ScriptedReply answer = handler_(request);
      const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(answer.wait);
      while (!stop_ && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      std::size_t sent = 0;
      while (sent < answer.raw.size()) {
        const ssize_t step = send(client, answer.raw.data() + sent, answer.raw.size() - sent, MSG_NOSIGNAL);
        if (step <= 0) return;
        sent += static_cast<std::size_t>(step);
      }
      if (answer.close) return;
    }
  }

  const Handler handler_;
  const int listener_;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::vector<ScriptedRequest> requests_;
  std::vector<std::jthread> connections_;
  std::jthread acceptor_;
};

}  // namespace funcpipe
