#include "regimetry/segments.hpp"

#include "arrays.hpp"
#include "gil.hpp"
#include "register.hpp"

namespace py = pybind11;
using regimetry::int64_t;

namespace {

regimetry::Column optional_column(const py::object& object, const char* name, int64_t rows) {
  if (object.is_none()) return {};
  const bindings::Array a = bindings::int64_array(object, name);
  if (a.shape(0) != rows) {
    regimetry::fail(name, " has ", a.shape(0), " entries; expected ", rows,
                    ", one for each row; pass the column that belongs to the rows");
  }
  return {a.data(), a.stride(0)};
}

py::array_t<int64_t> window_starts(py::handle n_rows, py::handle window_size, py::handle stride,
                                   const py::object& values, const py::object& instruments,
                                   const py::object& timestamps, const py::object& max_gap) {
  const int64_t rows = bindings::to_int64(n_rows, "n_rows");
  const int64_t w = bindings::to_int64(window_size, "window_size");
  const int64_t s = bindings::to_int64(stride, "stride");
  regimetry::count_windows(rows, w, s);  // refuses impossible sizes
  const auto codes = optional_column(instruments, "instruments", rows);
  const auto times = optional_column(timestamps, "timestamps", rows);
  if (timestamps.is_none() != max_gap.is_none()) {
    regimetry::fail(
        timestamps.is_none() ? "max_gap without timestamps" : "timestamps without max_gap",
        "; expected both or neither; pass the longest pause allowed inside a window");
  }
  const int64_t gap = max_gap.is_none() ? 0 : bindings::to_int64(max_gap, "max_gap");
  regimetry::SegmentFinder finder(codes, times, gap);
  std::vector<regimetry::Segment> segments;
  if (values.is_none()) {
    bindings::without_gil([&] { segments = regimetry::find_segments(rows, std::move(finder)); });
  } else {
    const bindings::Array a(values, "values");
    bindings::with_matrix(a, [&](const auto& view) {
      if (view.rows() != rows) {
        regimetry::fail("values have shape ", a.shape_name(), "; expected ", rows,
                        " rows as n_rows says; pass n_rows=len(values)");
      }
      bindings::without_gil([&] { segments = regimetry::find_segments(view, std::move(finder)); });
    });
  }
  py::array_t<int64_t> out(regimetry::count_starts(segments, w, s));
  int64_t* data = out.mutable_data();
  bindings::without_gil([&] { regimetry::fill_starts(segments, w, s, data); });
  return out;
}

}  // namespace

void register_segments(py::module_& m) {
  m.def(
      "window_starts", &window_starts, py::arg("n_rows"), py::arg("window_size"),
      py::arg("stride") = 1, py::arg("values") = py::none(), py::arg("instruments") = py::none(),
      py::arg("timestamps") = py::none(), py::arg("max_gap") = py::none(),
      R"(window_starts(n_rows, window_size, stride=1, values=None, instruments=None, timestamps=None, max_gap=None)
--

List the rows at which a window may begin.

The rows fall into segments: a new one begins with another instrument, after a gap in time and
after a missing value. No window crosses a border, and strides are counted from each segment's
first row.

Parameters
----------
n_rows : int
    T, the rows in all.
window_size : int
    W, 1 <= W <= T.
stride : int, default 1
    S >= 1, the rows from one window's start to the next.
values : numpy.ndarray, shape (T, F), float32 or float64, optional
    Any strides. Rows with a value that is not finite in float32 belong to no window.
instruments : numpy.ndarray, shape (T,), int64, optional
    A code for each row; the rows of an instrument lie together.
timestamps : numpy.ndarray, shape (T,), int64, optional
    Ascending within an instrument, in any unit; with `max_gap`.
max_gap : int, optional
    The longest step between two rows of one window, >= 0, in the unit of `timestamps`.

Returns
-------
numpy.ndarray, shape (N,), int64
    Ascending starts; empty if no segment holds a window.

Raises
------
TypeError
    An argument is no array, or a size no integer.
regimetry.errors.DataError
    Impossible sizes, wrong shapes or dtypes, an instrument that comes back after another, or
    timestamps that fall within an instrument (the message names the row).

Notes
-----
One pass over the data. Thread safety: no state of its own; safe from several threads. Runs
without the GIL.
)");
}
