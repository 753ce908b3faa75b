#include "register.hpp"

// Safe without the GIL: objects that change carry a lock, functions have no state. cpp/README.md
// says what that leaves to the caller.
PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  // Docstrings carry their own text signature, which inspect and stubtest can read.
  pybind11::options options;
  options.disable_function_signatures();

  m.doc() = "Windows, streams, the jump recursion and densities of rows in C++.";
  register_errors(m);
  register_rolling(m);
  register_gather(m);
  register_stream_bank(m);
  register_jump(m);
  register_scales(m);
  register_outlook(m);
}
