// A mutex that is free, and what it guards whole, in a process forked from this one.
//
// fork() copies memory as it is, but only the thread that calls it: a mutex that another one holds
// stays locked in the child for ever, around data that are half changed. So fork() itself first
// waits for all mutexes of this kind. Hold one for a short while only, never while you wait for
// anything else.
#pragma once

#include <mutex>
#include <set>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define REGIMETRY_HAS_FORK 1
#endif

namespace regimetry {

class ForkMutex {
 public:
  ForkMutex() {
    const std::lock_guard<std::mutex> lock(all().mutex);
    all().members.insert(this);
  }
  ~ForkMutex() {
    const std::lock_guard<std::mutex> lock(all().mutex);
    all().members.erase(this);
  }
  ForkMutex(const ForkMutex&) = delete;
  ForkMutex& operator=(const ForkMutex&) = delete;

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct All {
    std::mutex mutex;
    std::set<ForkMutex*> members;
  };
  static All& all() {
    // Never destroyed: threads may outlive static objects.
    static All* const one = [] {
#ifdef REGIMETRY_HAS_FORK
      pthread_atfork(before_fork, after_fork, after_fork);
#endif
      return new All;
    }();
    return *one;
  }
  static void before_fork() {
    all().mutex.lock();
    for (ForkMutex* each : all().members) each->lock();
  }
  static void after_fork() {
    for (ForkMutex* each : all().members) each->unlock();
    all().mutex.unlock();
  }

  std::mutex mutex_;
};

}  // namespace regimetry
