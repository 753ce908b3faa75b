// Splits work over a few short-lived threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"

namespace regimetry {

inline void require_threads(int64_t threads) {
  if (threads < 1 || threads > 1024) {
    fail("threads is ", threads, "; expected 1 to 1024; pass the number of cores to use at most");
  }
}

// A thread costs tens of microseconds to start: below this much output each, fewer are started.
constexpr int64_t kBytesPerThread = int64_t{1} << 20;

inline int64_t useful_threads(int64_t threads, int64_t bytes) {
  return std::clamp<int64_t>(bytes / kBytesPerThread, 1, threads);
}

// Calls work(0) ... work(threads - 1), the last one here. The first exception is thrown again
// after all have ended. Where the system refuses a thread, its share is done here, so nothing but
// `work` itself can fail.
template <class Work>
void run_parallel(int64_t threads, Work&& work) {
  if (threads <= 1) {
    work(int64_t{0});
    return;
  }
  std::exception_ptr error;
  std::mutex mutex;
  const auto guarded = [&](int64_t index) {
    try {
      work(index);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  std::vector<std::thread> pool;
  int64_t index = 0;
  try {
    pool.reserve(static_cast<std::size_t>(threads - 1));
    for (; index < threads - 1; ++index) pool.emplace_back(guarded, index);
  } catch (...) {  // no thread or no memory for one; those that run have to be joined all the same
  }
  for (; index < threads; ++index) guarded(index);
  for (auto& thread : pool) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace regimetry
