// From Python arguments to the views of the core: checks, never conversions.
#pragma once

#include <pybind11/numpy.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "regimetry/error.hpp"
#include "regimetry/matrix_view.hpp"

namespace bindings {

namespace py = pybind11;
using regimetry::int64_t;

// A borrowed array whose shape and dtype are read without a Python object being made.
//
// Shape, strides and address are copied once: whoever reshapes the array in place later, from
// another thread or from an argument's __index__, does not change what was checked. Valid for three
// dimensions; of more, only ndim() and shape_name() make sense.
class Array {
 public:
  // TypeError unless `object` is a plain numpy array.
  Array(py::handle object, const char* name);

  int ndim() const { return ndim_; }
  int64_t shape(int axis) const { return shape_[static_cast<std::size_t>(axis)]; }
  std::ptrdiff_t stride(int axis) const { return strides_[static_cast<std::size_t>(axis)]; }
  void* data() const { return data_; }
  py::object descr() const { return py::reinterpret_borrow<py::object>(proxy_->descr); }
  int type_num() const { return py::detail::array_descriptor1_proxy(proxy_->descr)->type_num; }
  char kind() const { return py::detail::array_descriptor1_proxy(proxy_->descr)->kind; }
  // numpy writes '=' or '|' for the machine's own byte order.
  bool native() const {
    const char order = py::detail::array_descriptor1_proxy(proxy_->descr)->byteorder;
    return order == '=' || order == '|';
  }
  int64_t item_size() const {
    return static_cast<int64_t>(py::reinterpret_borrow<py::dtype>(proxy_->descr).itemsize());
  }
  bool writeable() const { return (flags_ & py::detail::npy_api::NPY_ARRAY_WRITEABLE_) != 0; }
  bool dense() const { return (flags_ & py::array::c_style) != 0; }
  bool aligned_to(std::size_t bytes) const {
    return reinterpret_cast<std::uintptr_t>(data_) % bytes == 0;
  }
  std::string dtype_name() const { return py::str(descr()); }
  std::string shape_name() const;

  void require_ndim(int ndim, const char* layout, const char* remedy) const;
  void require_native() const;
  bool is_int64() const { return native() && kind() == 'i' && item_size() == 8; }
  bool is_float32() const { return native() && type_num() == py::detail::npy_api::NPY_FLOAT_; }
  bool is_float64() const { return native() && type_num() == py::detail::npy_api::NPY_DOUBLE_; }
  [[noreturn]] void fail_dtype(const char* expected, const char* remedy) const;
  const char* name() const { return name_; }

 private:
  const py::detail::PyArray_Proxy* proxy_;
  const char* name_;
  int ndim_, flags_;
  char* data_;
  std::array<py::ssize_t, 3> shape_{}, strides_{};
};

// An integer argument (Python or numpy), no bool, no float.
int64_t to_int64(py::handle object, const char* name);
double to_double(py::handle object, const char* name);

// A 1-D int64 array, and its values copied. Indices are copied before they are checked, so that no thread can
// change them between the check and the use.
Array int64_array(py::handle object, const char* name);
std::vector<int64_t> to_indices(const Array& array);
inline std::vector<int64_t> to_indices(py::handle object, const char* name) {
  return to_indices(int64_array(object, name));
}

// The numbers of a dense float64 array of the given shape, borrowed.
const double* dense_numbers(const Array& a, const std::vector<int64_t>& shape, const char* layout);

// Boundaries of the series inside n rows: M + 1 of them for M series, one series for None.
std::vector<int64_t> to_offsets(const py::object& offsets, int64_t n);

// Calls f(MatrixView<float>) or f(MatrixView<double>) for a 2-D array of either type.
template <class F>
decltype(auto) with_matrix(const Array& a, F&& f) {
  a.require_ndim(2, "(T, F)", "use values[:, None] for a single column");
  if (a.is_float32()) {
    return f(
        regimetry::MatrixView<float>(a.data(), a.shape(0), a.shape(1), a.stride(0), a.stride(1)));
  }
  if (!a.is_float64()) a.fail_dtype("float32 or float64", "use .astype('float32')");
  return f(
      regimetry::MatrixView<double>(a.data(), a.shape(0), a.shape(1), a.stride(0), a.stride(1)));
}

// The same for a 1-D array, as a matrix of one row.
template <class F>
decltype(auto) with_row(const Array& a, F&& f) {
  a.require_ndim(1, "(F,)", "pass one row of values");
  if (a.is_float32()) {
    return f(regimetry::MatrixView<float>(a.data(), 1, a.shape(0), 0, a.stride(0)));
  }
  if (!a.is_float64()) a.fail_dtype("float32 or float64", "use .astype('float32')");
  return f(regimetry::MatrixView<double>(a.data(), 1, a.shape(0), 0, a.stride(0)));
}

// A read-only view over memory that `owner` keeps alive. `descr` is a new reference or borrowed.
py::object read_only_view(py::object descr, int ndim, const py::ssize_t* shape,
                          const py::ssize_t* strides, void* data, py::handle owner);

// The argument of restore(): TypeError unless it is a dict.
py::dict to_snapshot(py::handle object);
// An item of a snapshot dict.
py::object snapshot_item(const py::dict& snapshot, const char* key);
// Refuses a snapshot of another kind, version or shape.
void require_snapshot(const py::dict& snapshot, const char* kind, int64_t version,
                      int64_t window_size, int64_t n_features);

}  // namespace bindings
