// rolling_windows, as a plain CPython function: it is called once for every series, so the call
// itself is the cost, and a general dispatcher would double it.
#include "regimetry/rolling.hpp"

#include <string_view>

#include "arrays.hpp"
#include "register.hpp"

namespace py = pybind11;
using regimetry::int64_t;

namespace {

const char* const kDoc =
    R"(rolling_windows(values, window_size, stride=1)
--

View every window of consecutive rows without copying a value.

Parameters
----------
values : numpy.ndarray, shape (T, F)
    Rows in time order: any integer, float, complex or boolean dtype in the machine's byte order,
    any strides, read-only or not.
window_size : int
    W, the rows of a window, 1 <= W <= T.
stride : int, default 1
    S >= 1, the rows from one window's start to the next.

Returns
-------
numpy.ndarray, shape (N, W, F)
    N = (T - W) // S + 1 windows, oldest first; the dtype of `values`. A read-only view of the
    memory of `values`, which it keeps alive: whoever writes to `values` changes the windows.

Raises
------
TypeError
    `values` is no numpy array (or a masked one), or a size is no integer.
regimetry.errors.DataError
    Wrong number of dimensions, a dtype that is not numeric or of foreign byte order, W < 1,
    W > T, S < 1, or a view too large to address.

Notes
-----
O(1) time and memory. Equal to
``sliding_window_view(values, W, axis=0)[::S].transpose(0, 2, 1)``.

Thread safety: touches nothing but its arguments' headers; safe from any number of threads.
)";

py::object rolling_windows(py::handle values, py::handle window_size, py::handle stride) {
  const int64_t w = bindings::to_int64(window_size, "window_size");
  const int64_t s = stride ? bindings::to_int64(stride, "stride") : 1;
  const bindings::Array a(values, "values");
  a.require_ndim(2, "(T, F)", "use values[:, None] for a single column");
  constexpr std::string_view numeric = "biufc";
  if (numeric.find(a.kind()) == std::string_view::npos) {
    a.fail_dtype("a numeric dtype", "use .astype('float32')");
  }
  a.require_native();
  const auto g = regimetry::rolling_geometry(a.shape(0), a.shape(1), a.stride(0), a.stride(1),
                                             a.item_size(), w, s);
  const py::ssize_t shape[] = {g.shape[0], g.shape[1], g.shape[2]};
  const py::ssize_t strides[] = {g.strides[0], g.strides[1], g.strides[2]};
  return bindings::read_only_view(a.descr(), 3, shape, strides, a.data(), values);
}

// Puts a keyword into its place; the error messages are those of a Python function.
bool place_keyword(PyObject* name, PyObject* value, PyObject** slots) {
  static const char* const names[] = {"values", "window_size", "stride"};
  for (int i = 0; i < 3; ++i) {
    if (PyUnicode_CompareWithASCIIString(name, names[i]) != 0) continue;
    if (slots[i] != nullptr) {
      PyErr_Format(PyExc_TypeError, "rolling_windows() got multiple values for argument '%U'",
                   name);
      return false;
    }
    slots[i] = value;
    return true;
  }
  PyErr_Format(PyExc_TypeError, "rolling_windows() got an unexpected keyword argument '%U'", name);
  return false;
}

PyObject* call(PyObject*, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  PyObject* slots[3] = {nullptr, nullptr, nullptr};
  if (n_args > 3) {
    PyErr_Format(PyExc_TypeError,
                 "rolling_windows() takes from 2 to 3 positional arguments but %zd were given",
                 n_args);
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < n_args; ++i) slots[i] = args[i];
  const Py_ssize_t n_keywords = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i < n_keywords; ++i) {
    if (!place_keyword(PyTuple_GET_ITEM(keywords, i), args[n_args + i], slots)) return nullptr;
  }
  if (slots[0] == nullptr || slots[1] == nullptr) {
    PyErr_SetString(PyExc_TypeError,
                    "rolling_windows() needs the arguments 'values' and 'window_size'");
    return nullptr;
  }
  try {
    return rolling_windows(slots[0], slots[1], slots[2]).release().ptr();
  } catch (...) {
    py::detail::try_translate_exceptions();  // as for every other function of the module
    return nullptr;
  }
}

PyMethodDef definition = {"rolling_windows",
                          reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call)),
                          METH_FASTCALL | METH_KEYWORDS, kDoc};

}  // namespace

void register_rolling(py::module_& m) {
  const py::object module_name = m.attr("__name__");
  m.add_object("rolling_windows", py::reinterpret_steal<py::object>(
                                      PyCFunction_NewEx(&definition, m.ptr(), module_name.ptr())));
}
