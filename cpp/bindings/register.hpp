// One function a concept; module.cpp calls them.
#pragma once

#include <pybind11/pybind11.h>

void register_errors(pybind11::module_& m);
void register_rolling(pybind11::module_& m);
void register_gather(pybind11::module_& m);
void register_stream_bank(pybind11::module_& m);
void register_jump(pybind11::module_& m);
void register_scales(pybind11::module_& m);
void register_outlook(pybind11::module_& m);

// The ordinary metaclass: pybind11's own only serves subclasses, and our classes are final. With it
// `type(StreamBank) is type`, as the stub says.
inline pybind11::metaclass plain_type() {
  return pybind11::metaclass(pybind11::handle(reinterpret_cast<PyObject*>(&PyType_Type)));
}
