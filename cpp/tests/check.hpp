// The few lines of test framework these tests need.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

#include "regimetry/error.hpp"

#define CHECK(condition)                                                                \
  do {                                                                                  \
    if (!(condition)) {                                                                 \
      std::cerr << __FILE__ << ':' << __LINE__ << ": failed: " #condition << std::endl; \
      std::exit(1);                                                                     \
    }                                                                                   \
  } while (false)

// Runs f, which has to throw a DataError that says `part`.
template <class F>
void check_refused(const char* part, F&& f) {
  try {
    f();
  } catch (const regimetry::DataError& error) {
    const std::string text = error.what();
    if (text.find(part) == std::string::npos || text.find("expected") == std::string::npos) {
      std::cerr << "message lacks '" << part << "' or 'expected': " << text << std::endl;
      std::exit(1);
    }
    return;
  }
  std::cerr << "not refused; expected an error that says: " << part << std::endl;
  std::exit(1);
}
