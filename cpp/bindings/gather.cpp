#include "regimetry/gather.hpp"

#include <cstdint>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "gil.hpp"
#include "register.hpp"

namespace py = pybind11;
using bindings::Array;
using regimetry::int64_t;

namespace {

constexpr const char* kMakeOut = "use numpy.empty((B, W, F), dtype='float32')";

// First and last byte an array's elements touch.
std::pair<std::uintptr_t, std::uintptr_t> extent(const Array& a) {
  auto low = reinterpret_cast<std::uintptr_t>(a.data());
  auto high = low + static_cast<std::uintptr_t>(a.item_size());
  for (int axis = 0; axis < a.ndim(); ++axis) {
    if (a.shape(axis) == 0) return {0, 0};
    const std::ptrdiff_t reach = static_cast<std::ptrdiff_t>(a.shape(axis) - 1) * a.stride(axis);
    (reach < 0 ? low : high) += static_cast<std::uintptr_t>(reach);
  }
  return {low, high};
}

void gather_windows(const py::object& values, const py::object& starts, const py::object& out,
                    py::handle threads) {
  const int64_t n_threads = bindings::to_int64(threads, "threads");
  const Array from(values, "values");
  const Array index = bindings::int64_array(starts, "starts");
  const Array to(out, "out");
  from.require_ndim(2, "(T, F)", "use values[:, None] for a single column");
  to.require_ndim(3, "(B, W, F)", kMakeOut);
  if (!to.is_float32()) to.fail_dtype("float32", kMakeOut);
  if (!to.dense() || !to.writeable() || !to.aligned_to(alignof(float))) {
    regimetry::fail("out is ",
                    !to.dense()       ? "not C-contiguous"
                    : !to.writeable() ? "read-only"
                                      : "misaligned",
                    "; expected a writeable, aligned, C-contiguous array; ", kMakeOut);
  }
  const int64_t n = index.shape(0), w = to.shape(1);
  if (to.shape(0) != n || to.shape(2) != from.shape(1) || w < 1) {
    regimetry::fail("out has shape ", to.shape_name(), "; expected (", n, ", W, ", from.shape(1),
                    ") for these starts and values, W >= 1; ", kMakeOut);
  }
  const auto [low, high] = extent(from);
  const auto [out_low, out_high] = extent(to);
  if (low < out_high && out_low < high) {
    regimetry::fail("out and values share memory; expected separate arrays; ", kMakeOut);
  }
  // Dense and aligned starts are read where they lie; others are copied first.
  std::vector<int64_t> copied;
  const auto* first = static_cast<const int64_t*>(index.data());
  if (!index.dense() || !index.aligned_to(alignof(int64_t))) {
    copied = bindings::to_indices(index);
    first = copied.data();
  }
  bindings::with_matrix(from, [&](const auto& view) {
    bindings::without_gil([&] {
      regimetry::gather_windows(view, first, n, w, static_cast<float*>(to.data()), n_threads);
    });
  });
}

}  // namespace

void register_gather(py::module_& m) {
  m.def("gather_windows", &gather_windows, py::arg("values"), py::arg("starts"), py::arg("out"),
        py::arg("threads") = 1, R"(gather_windows(values, starts, out, threads=1)
--

Fill a batch with the windows that begin at given rows, as float32.

``out[b] = values[starts[b] : starts[b] + W]``.

Parameters
----------
values : numpy.ndarray, shape (T, F), float32 or float64
    Any strides. Values beyond float32 become infinite, NaN stays NaN.
starts : numpy.ndarray, shape (B,), int64
    First rows, 0 <= start <= T - W, in any order.
out : numpy.ndarray, shape (B, W, F), float32
    C-contiguous and writeable, apart from `values`; its shape says B and W.
threads : int, default 1
    At most so many threads; fewer are used below 1 MiB of output each.

Raises
------
TypeError
    An argument is no array, or `threads` no integer.
regimetry.errors.DataError
    Wrong shapes, dtypes or layout, or a start with fewer than W rows after it; `out` is then
    untouched.

Notes
-----
Allocates nothing with one thread and makes no copy of `values`. Of ascending starts
whose windows overlap, each row is converted once.

Thread safety: writes `out` only; safe from several threads with distinct `out`. Runs without the
GIL.
)");
}
