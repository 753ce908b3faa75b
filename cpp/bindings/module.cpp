#include "register.hpp"

PYBIND11_MODULE(_core, m) {
  // Docstrings carry their own text signature, which inspect and stubtest can read.
  pybind11::options options;
  options.disable_function_signatures();

  m.doc() = "Windows, streams and the jump recursion in C++.";
  register_errors(m);
  register_rolling(m);
  register_stream_buffer(m);
  register_gather(m);
  register_segments(m);
  register_stream_bank(m);
  register_jump(m);
}
