#include "regimetry/stream_buffer.hpp"

#include <mutex>
#include <vector>

#include "arrays.hpp"
#include "register.hpp"
#include "self.hpp"

namespace py = pybind11;
using bindings::Array;
using bindings::Self;
using regimetry::int64_t;

namespace {

constexpr int64_t kVersion = 1;
constexpr const char* kKind = "stream_buffer";

// The buffer and its lock, which guards it while extend() runs without the GIL, and always where
// there is none.
//
// Rule: who holds the lock neither waits for the GIL nor calls into Python. So taking it with the
// GIL held cannot deadlock: not by the other's waiting for the GIL, not by a finaliser that comes
// back to this buffer, not by a free-threaded interpreter that stops all threads.
struct Buffer {
  Buffer(int64_t window_size, int64_t n_features) : core(window_size, n_features) {}
  regimetry::StreamBuffer core;
  std::mutex mutex;
};

template <class F>
auto locked(Self<Buffer> self, F&& f) {
  const std::lock_guard<std::mutex> lock(self->mutex);
  return f(self->core);
}

void push(Self<Buffer> self, py::handle row) {
  const Array a(row, "row");
  bindings::with_row(a, [&](const auto& view) {
    locked(self, [&](auto& core) { core.push(view); });
  });
}

void extend(Self<Buffer> self, py::handle rows) {
  const Array a(rows, "rows");
  bindings::with_matrix(a, [&](const auto& view) {
    const py::gil_scoped_release release;
    locked(self, [&](auto& core) { core.extend(view); });
  });
}

py::object window(Self<Buffer> self) {
  const float* data = locked(self, [](const auto& core) { return core.window(); });
  const auto w = static_cast<py::ssize_t>(self->core.window_size());
  const auto f = static_cast<py::ssize_t>(self->core.n_features());
  constexpr auto item = static_cast<py::ssize_t>(sizeof(float));
  const py::ssize_t shape[] = {1, w, f};
  const py::ssize_t strides[] = {w * f * item, f * item, item};
  // The view's base is the buffer object: the slots live as long as any view of them.
  return bindings::read_only_view(py::dtype::of<float>(), 3, shape, strides,
                                  const_cast<float*>(data), self.object());
}

py::dict snapshot(Self<Buffer> self) {
  std::vector<float> held;
  const int64_t count = locked(self, [&](const auto& core) {
    held.resize(static_cast<std::size_t>(core.held() * core.n_features()));
    core.copy_rows(held.data());
    return core.count();
  });
  const int64_t f = self->core.n_features();
  const py::array_t<float> rows({static_cast<int64_t>(held.size()) / f, f}, held.data());
  py::dict out;
  out["kind"] = kKind;
  out["version"] = kVersion;
  out["window_size"] = self->core.window_size();
  out["n_features"] = self->core.n_features();
  out["count"] = count;
  out["rows"] = rows;
  return out;
}

void restore(Self<Buffer> self, py::handle object) {
  const py::dict snapshot = bindings::to_snapshot(object);
  bindings::require_snapshot(snapshot, kKind, kVersion, self->core.window_size(),
                             self->core.n_features());
  const int64_t count = bindings::to_int64(bindings::snapshot_item(snapshot, "count"), "count");
  const py::object rows = bindings::snapshot_item(snapshot, "rows");
  const Array a(rows, "rows");
  bindings::with_matrix(a, [&](const auto& view) {
    locked(self, [&](auto& core) { core.restore(count, view); });
  });
}

}  // namespace

void register_stream_buffer(py::module_& m) {
  py::class_<Buffer>(m, "StreamBuffer", py::is_final(), plain_type(), R"(StreamBuffer(window_size, n_features)
--

The last W rows of one live series, always contiguous.

Every row is written twice into a ring of 2W rows, so the newest W rows never wrap: a push costs
O(F) and the window costs nothing.

Parameters
----------
window_size : int
    W >= 1, the rows of a window.
n_features : int
    F >= 1, the values of a row.

Raises
------
regimetry.errors.DataError
    A size below 1, or a buffer larger than the machine's memory.

Notes
-----
Thread safety: every method takes the buffer's lock, so calls from several threads do not corrupt
it; but a window is only meaningful to a reader that no other thread pushes behind.
)")
      .def(py::init([](py::handle window_size, py::handle n_features) {
             return new Buffer(bindings::to_int64(window_size, "window_size"),
                               bindings::to_int64(n_features, "n_features"));
           }),
           py::arg("window_size"), py::arg("n_features"),
           "__init__(self, window_size, n_features)\n--\n\n")
      .def("push", &push, py::arg("row"), R"(push(self, row)
--

Add one row, O(F).

Parameters
----------
row : numpy.ndarray, shape (F,), float32 or float64
    Any stride; converted to float32 as it is written.

Raises
------
TypeError
    `row` is no numpy array.
regimetry.errors.DataError
    Wrong shape or dtype, or a value that is not finite in float32. The buffer and the current
    window are then unchanged.

Notes
-----
Ends the validity of earlier windows. Thread safety: locked.
)")
      .def("extend", &extend, py::arg("rows"), R"(extend(self, rows)
--

Add many rows at once: as many pushes, but only the last W are written.

Parameters
----------
rows : numpy.ndarray, shape (n, F), float32 or float64
    Any strides, oldest first; n may be 0.

Raises
------
TypeError
    `rows` is no numpy array.
regimetry.errors.DataError
    Wrong shape or dtype, or a value that is not finite in float32 (the message names the row).
    The buffer is then unchanged: all rows or none.

Notes
-----
Ends the validity of earlier windows. Thread safety: locked; runs without the GIL.
)")
      .def("window", &window, R"(window(self)
--

View the last W rows, oldest first, O(1).

Returns
-------
numpy.ndarray, shape (1, W, F), float32
    Contiguous, read-only, no copy. Valid until the next push, extend, reset or restore, which
    overwrite it; copy it to keep it. It keeps the buffer alive.

Raises
------
regimetry.errors.DataError
    Fewer than W rows were seen.

Notes
-----
Thread safety: locked; see the class for what a reader has to heed.
)")
      .def("reset", [](Self<Buffer> self) {
             locked(self, [](auto& core) { core.reset(); });
           }, R"(reset(self)
--

Forget every row, as after construction. Thread safety: locked.
)")
      .def("snapshot", &snapshot, R"(snapshot(self)
--

Copy the state into plain arrays and numbers.

Returns
-------
dict
    ``kind`` str, ``version``, ``window_size``, ``n_features``, ``count`` int, and ``rows``, float32
    (min(count, W), F), oldest first.

Notes
-----
Thread safety: locked.
)")
      .def("restore", &restore, py::arg("snapshot"), R"(restore(self, snapshot)
--

Put a snapshot back; what follows equals a buffer that was never interrupted.

Parameters
----------
snapshot : dict
    What `snapshot` returned, of the same W and F.

Raises
------
regimetry.errors.DataError
    Another kind, version or shape, or a missing or impossible entry. The buffer is then unchanged.

Notes
-----
Ends the validity of earlier windows. Thread safety: locked.
)")
      .def_property_readonly("window_size", [](Self<Buffer> self) { return self->core.window_size(); },
                             "W, the rows of a window.")
      .def_property_readonly("n_features", [](Self<Buffer> self) { return self->core.n_features(); },
                             "F, the values of a row.")
      .def_property_readonly("count", [](Self<Buffer> self) { return locked(self, [](auto& core) { return core.count(); }); },
                             "The rows seen since the start or the last reset, counted in 64 bits.")
      .def_property_readonly("ready", [](Self<Buffer> self) { return locked(self, [](auto& core) { return core.ready(); }); },
                             "Whether W rows have been seen, so that there is a window.");
}
