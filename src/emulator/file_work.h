// Runs blocking work (disk access, checksums of large objects) outside the io_context's thread.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace funcpipe {

// Runs `work` on a thread of `pool` and resumes the caller on its own executor with the result. Work that has begun is
// not cancelled, because it may use what the caller owns.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work>> run_on(boost::asio::thread_pool& pool, Work work) {
  namespace asio = boost::asio;
  std::optional<std::invoke_result_t<Work>> value;
  std::exception_ptr thrown;
  const auto executor = co_await asio::this_coro::executor;
  auto start = [&](auto handler) {
    auto job = [&value, &thrown, &work, guard = asio::make_work_guard(executor),
                handler = std::move(handler)]() mutable {
      try {
        value.emplace(work());
      } catch (...) {
        thrown = std::current_exception();
      }
      const auto back = guard.get_executor();
      asio::post(back, std::move(handler));
    };
    asio::post(pool, std::move(job));
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*value);
}

}  // namespace funcpipe
