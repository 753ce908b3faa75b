// How much memory a structure may ask for, so that a typing error is refused instead of swapped.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#else
#include <unistd.h>
#endif

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"

namespace regimetry {

// Bytes this process can hope for: the machine's memory, less where a container's limit says so.
inline int64_t memory_limit_bytes() {
#if defined(_WIN32)
  MEMORYSTATUSEX status;
  status.dwLength = sizeof(status);
  if (!GlobalMemoryStatusEx(&status)) return kMaxSize;
  return static_cast<int64_t>(
      std::min<unsigned long long>(status.ullTotalPhys, static_cast<unsigned long long>(kMaxSize)));
#else
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  int64_t limit = pages > 0 && page > 0 ? static_cast<int64_t>(pages) * page : kMaxSize;
  for (const char* name :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(name);
    int64_t bytes = 0;
    if (file >> bytes && bytes > 0) limit = std::min(limit, bytes);  // "max" does not parse
  }
  return limit;
#endif
}

inline double gibibytes(int64_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024 * 1024);
}

inline void require_memory(int64_t bytes, const char* what) {
  const int64_t limit = memory_limit_bytes();
  if (bytes > limit) {
    fail(what, " needs ", gibibytes(bytes), " GiB and this machine has ", gibibytes(limit),
         " GiB; expected it to fit into memory; use fewer streams, a shorter window or fewer "
         "features");
  }
}

}  // namespace regimetry
