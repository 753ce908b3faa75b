// regimetry::DataError arrives in Python as regimetry.errors.DataError.
#include <exception>

#include "regimetry/error.hpp"
#include "register.hpp"

namespace py = pybind11;

void register_errors(py::module_&) {
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const regimetry::DataError& error) {
      // Looked up when it is needed: only the failing path pays, and no reference outlives Python.
      const py::object type = py::module_::import("regimetry.errors").attr("DataError");
      py::set_error(type, error.what());
    }
  });
}
