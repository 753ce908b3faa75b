// Work without the GIL, which threads that outlive Python survive.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <exception>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace bindings {

// Sleeps for ever where the stack is unwound beneath it.
struct SleepIfUnwound {
  bool armed = true;
  ~SleepIfUnwound() {
    while (armed) std::this_thread::sleep_for(std::chrono::hours(1));
  }
};

// Python up to 3.13 ends a daemon thread that asks for the GIL while Python itself ends: it unwinds
// the thread's stack, and the process aborts at the first C++ function that may not throw. Such a
// thread sleeps instead, as from Python 3.14 on; the process ends without it.
inline void take_gil(PyThreadState* state) {
  SleepIfUnwound guard;
  PyEval_RestoreThread(state);
  guard.armed = false;
}

// Calls f without the GIL. It may not touch Python.
template <class F>
auto without_gil(F&& f) {
  using Found = decltype(f());
  PyThreadState* const state = PyEval_SaveThread();
  std::exception_ptr error;
  if constexpr (std::is_void_v<Found>) {
    try {
      f();
    } catch (...) {
      error = std::current_exception();
    }
    take_gil(state);
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<Found> found;
    try {
      found.emplace(f());
    } catch (...) {
      error = std::current_exception();
    }
    take_gil(state);
    if (error) std::rethrow_exception(error);
    return *std::move(found);
  }
}

}  // namespace bindings
