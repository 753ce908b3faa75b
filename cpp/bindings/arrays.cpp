#include "arrays.hpp"

#include <algorithm>
#include <cstring>

namespace bindings {

namespace {
std::string type_name(py::handle object) {
  return py::str(py::type::handle_of(object).attr("__name__"));
}
}  // namespace

Array::Array(py::handle object, const char* name) : name_(name) {
  if (!py::isinstance<py::array>(object)) {
    const char* remedy = py::hasattr(object, "to_numpy") ? ".to_numpy()" : "numpy.asarray(...)";
    throw py::type_error(std::string(name) + " is a " + type_name(object) +
                         "; expected a numpy array; pass " + remedy);
  }
  // A masked array hides values that its memory still holds.
  if (reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) !=
          reinterpret_cast<PyObject*>(py::detail::npy_api::get().PyArray_Type_) &&
      py::hasattr(object, "mask")) {
    throw py::type_error(std::string(name) + " is a " + type_name(object) +
                         ", whose mask would be lost; expected a plain numpy array; pass "
                         ".filled(numpy.nan)");
  }
  proxy_ = py::detail::array_proxy(object.ptr());
  ndim_ = proxy_->nd;
  flags_ = proxy_->flags;
  data_ = proxy_->data;
  for (std::size_t axis = 0; axis < std::min(shape_.size(), static_cast<std::size_t>(ndim_));
       ++axis) {
    shape_[axis] = proxy_->dimensions[axis];
    strides_[axis] = proxy_->strides[axis];
  }
}

std::string Array::shape_name() const {
  std::string text = "(";
  const bool copied = static_cast<std::size_t>(ndim_) <= shape_.size();
  for (int axis = 0; axis < (copied ? ndim_ : proxy_->nd); ++axis) {
    text +=
        (axis > 0 ? ", " : "") + std::to_string(copied ? shape(axis) : proxy_->dimensions[axis]);
  }
  return text + (ndim() == 1 ? ",)" : ")");
}

void Array::require_ndim(int expected, const char* layout, const char* remedy) const {
  if (ndim() != expected) {
    regimetry::fail(name_, " has ", ndim(), " dimension(s), shape ", shape_name(), "; expected ",
                    expected, ", ", layout, "; ", remedy);
  }
}

void Array::require_native() const {
  if (!native()) {
    regimetry::fail(name_, " has dtype ", dtype_name(),
                    " in foreign byte order; expected the machine's own; use "
                    ".astype(a.dtype.newbyteorder('='))");
  }
}

void Array::fail_dtype(const char* expected, const char* remedy) const {
  require_native();
  regimetry::fail(name_, " has dtype ", dtype_name(), "; expected ", expected, "; ", remedy);
}

int64_t to_int64(py::handle object, const char* name) {
  py::object index;
  if (!PyBool_Check(object.ptr()) && PyIndex_Check(object.ptr())) {
    index = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
    if (!index && PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
    PyErr_Clear();  // an array that is no scalar has __index__, and numpy's words for it
  }
  if (!index) {
    throw py::type_error(std::string(name) + " is a " + type_name(object) +
                         "; expected an integer; pass int(...)");
  }
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0) {
    regimetry::fail(name, " is ", std::string(py::str(index)),
                    "; expected a number that fits into 64 bits; pass a smaller one");
  }
  return value;
}

double to_double(py::handle object, const char* name) {
  const double value = PyFloat_AsDouble(object.ptr());
  if (value == -1.0 && PyErr_Occurred() != nullptr) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
    PyErr_Clear();
    throw py::type_error(std::string(name) + " is a " + type_name(object) +
                         "; expected a number; pass float(...)");
  }
  return value;
}

Array int64_array(py::handle object, const char* name) {
  const Array a(object, name);
  a.require_ndim(1, "(n,)", "pass a flat array");
  if (!a.is_int64()) a.fail_dtype("int64", "use .astype('int64')");
  return a;
}

std::vector<int64_t> to_indices(const Array& a) {
  std::vector<int64_t> out(static_cast<std::size_t>(a.shape(0)));
  const char* at = static_cast<const char*>(a.data());
  for (auto& value : out) {
    std::memcpy(&value, at, sizeof value);
    at += a.stride(0);
  }
  return out;
}

std::vector<int64_t> to_offsets(const py::object& offsets, int64_t n) {
  if (offsets.is_none()) return {0, n};
  auto out = to_indices(offsets, "offsets");
  if (out.empty() || out.front() != 0 || out.back() != n) {
    regimetry::fail(
        "offsets run from ", out.empty() ? 0 : out.front(), " to ", out.empty() ? 0 : out.back(),
        "; expected 0 to ", n,
        ", the number of rows; pass the start of each series and then the end");
  }
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i] < out[i - 1]) {
      regimetry::fail("offsets fall from ", out[i - 1], " to ", out[i], " at position ", i,
                      "; expected them sorted; order the series as their rows are");
    }
  }
  return out;
}

const double* dense_numbers(const Array& a, const std::vector<int64_t>& shape,
                            const char* layout) {
  a.require_ndim(static_cast<int>(shape.size()), layout, "pass an array of that layout");
  if (!a.is_float64()) a.fail_dtype("float64", "use .astype('float64')");
  int axis = 0;
  for (const int64_t size : shape) {
    if (a.shape(axis) != size) {
      regimetry::fail(a.name(), " has shape ", a.shape_name(), "; expected ", size, " along axis ",
                      axis, ", ", layout, "; pass that of the same model");
    }
    ++axis;
  }
  if (!a.dense() || !a.aligned_to(alignof(double))) {
    regimetry::fail(a.name(), " is not dense; expected rows one after the other; use "
                    "numpy.ascontiguousarray");
  }
  return static_cast<const double*>(a.data());
}

py::object read_only_view(py::object descr, int ndim, const py::ssize_t* shape,
                          const py::ssize_t* strides, void* data, py::handle owner) {
  auto& api = py::detail::npy_api::get();
  // No flags: not writeable; numpy itself works out contiguity and alignment.
  auto view = py::reinterpret_steal<py::object>(api.PyArray_NewFromDescr_(
      api.PyArray_Type_, descr.release().ptr(), ndim, shape, strides, data, 0, nullptr));
  if (!view) throw py::error_already_set();
  if (api.PyArray_SetBaseObject_(view.ptr(), owner.inc_ref().ptr()) != 0) {
    throw py::error_already_set();
  }
  return view;
}

py::dict to_snapshot(py::handle object) {
  if (!py::isinstance<py::dict>(object)) {
    throw py::type_error("snapshot is a " + type_name(object) +
                         "; expected a dict; pass what snapshot() returned");
  }
  return py::reinterpret_borrow<py::dict>(object);
}

py::object snapshot_item(const py::dict& snapshot, const char* key) {
  if (!snapshot.contains(key)) {
    regimetry::fail("the snapshot has no '", key,
                    "'; expected what snapshot() returned; take a new snapshot");
  }
  return snapshot[key];
}

void require_snapshot(const py::dict& snapshot, const char* kind, int64_t version,
                      int64_t window_size, int64_t n_features) {
  const std::string found = py::str(snapshot_item(snapshot, "kind"));
  if (found != kind) {
    regimetry::fail("the snapshot is of kind '", found, "'; expected '", kind,
                    "'; restore it into the class that made it");
  }
  const auto require = [&](const char* key, int64_t expected, const char* remedy) {
    const int64_t value = to_int64(snapshot_item(snapshot, key), key);
    if (value != expected) {
      regimetry::fail("the snapshot has ", key, "=", value, "; expected ", expected, "; ", remedy);
    }
  };
  require("version", version, "take a new snapshot with this release");
  require("window_size", window_size, "restore into an object of the same window size");
  require("n_features", n_features, "restore into an object of the same features");
}

}  // namespace bindings
