#include "regimetry/stream_bank.hpp"

#include "arrays.hpp"
#include "register.hpp"
#include "self.hpp"
#include "stream_bank_doc.hpp"

namespace py = pybind11;
using bindings::Array;
using bindings::Self;
using regimetry::int64_t;
using regimetry::StreamBank;

namespace {

constexpr int64_t kVersion = 1;
constexpr const char* kKind = "stream_bank";

// Rule: the bank's lock is only ever taken without the GIL, since push() takes the GIL back while
// it holds the lock, to make its outputs.
template <class F>
auto without_gil(F&& f) {
  const py::gil_scoped_release release;
  return f();
}

py::array_t<int64_t> to_array(const std::vector<int64_t>& ids) {
  return py::array_t<int64_t>(static_cast<py::ssize_t>(ids.size()), ids.data());
}

py::tuple push(Self<StreamBank> self, const py::object& ids, const py::object& rows, py::handle threads) {
  const auto index = bindings::to_indices(ids, "ids");
  const Array a(rows, "rows");
  const int64_t n_threads = bindings::to_int64(threads, "threads");
  py::object ready_ids, windows;
  bindings::with_matrix(a, [&](const auto& view) {
    const py::gil_scoped_release release;
    self->push(index, view, n_threads, [&](int64_t n) {
      const py::gil_scoped_acquire acquire;
      py::array_t<int64_t> out_ids(n);
      py::array_t<float> out({n, self->window_size(), self->n_features()});
      const auto pointers = std::make_pair(out_ids.mutable_data(), out.mutable_data());
      ready_ids = std::move(out_ids);
      windows = std::move(out);
      return pointers;
    });
  });
  return py::make_tuple(ready_ids, windows);
}

py::dict snapshot(Self<StreamBank> self) {
  py::object rows;
  const auto state = without_gil([&] {
    return self->snapshot([&](int64_t n) {
      const py::gil_scoped_acquire acquire;
      py::array_t<float> array({n, self->window_size(), self->n_features()});
      float* data = array.mutable_data();
      rows = std::move(array);
      return data;
    });
  });
  py::dict out;
  out["kind"] = kKind;
  out["version"] = kVersion;
  out["window_size"] = self->window_size();
  out["n_features"] = self->n_features();
  out["ids"] = to_array(state.ids);
  out["counts"] = to_array(state.counts);
  out["rows"] = rows;
  return out;
}

void restore(Self<StreamBank> self, py::handle object) {
  const py::dict snapshot = bindings::to_snapshot(object);
  bindings::require_snapshot(snapshot, kKind, kVersion, self->window_size(), self->n_features());
  const regimetry::BankState state{
      bindings::to_indices(bindings::snapshot_item(snapshot, "ids"), "ids"),
      bindings::to_indices(bindings::snapshot_item(snapshot, "counts"), "counts")};
  const py::object rows = bindings::snapshot_item(snapshot, "rows");
  const Array a(rows, "rows");
  a.require_ndim(3, "(n, W, F)", "restore an unchanged snapshot");
  if (!a.is_float32()) a.fail_dtype("float32", "restore an unchanged snapshot");
  if (!a.dense() || a.shape(1) != self->window_size()) {
    regimetry::fail("the snapshot's rows have shape ", a.shape_name(), "; expected C-contiguous (n, ",
                    self->window_size(), ", ", self->n_features(), "); restore an unchanged snapshot");
  }
  const regimetry::MatrixView<float> view(static_cast<const float*>(a.data()),
                                          a.shape(0) * a.shape(1), a.shape(2));
  without_gil([&] { self->restore(state, view); });
}

}  // namespace

void register_stream_bank(py::module_& m) {
  py::class_<StreamBank>(m, "StreamBank", py::is_final(), plain_type(), kBankDoc)
      .def(py::init([](py::handle n_streams, py::handle window_size, py::handle n_features,
                       const py::object& capacity) {
             const int64_t n = bindings::to_int64(n_streams, "n_streams");
             return new StreamBank(n, bindings::to_int64(window_size, "window_size"),
                                   bindings::to_int64(n_features, "n_features"),
                                   capacity.is_none() ? n : bindings::to_int64(capacity, "capacity"));
           }),
           py::arg("n_streams"), py::arg("window_size"), py::arg("n_features"),
           py::arg("capacity") = py::none(),
           "__init__(self, n_streams, window_size, n_features, capacity=None)\n--\n\n")
      .def("push", &push, py::arg("ids"), py::arg("rows"), py::arg("threads") = 1, kPushDoc)
      .def("add", [](Self<StreamBank> self, py::handle count) {
             const int64_t n = bindings::to_int64(count, "count");
             return to_array(without_gil([&] { return self->add(n); }));
           }, py::arg("count") = 1, kAddDoc)
      .def("drop", [](Self<StreamBank> self, const py::object& ids) {
             const auto index = bindings::to_indices(ids, "ids");
             without_gil([&] { self->drop(index); });
           }, py::arg("ids"), kDropDoc)
      .def("reset", [](Self<StreamBank> self, const py::object& ids) {
             if (ids.is_none()) return without_gil([&] { self->reset(); });
             const auto index = bindings::to_indices(ids, "ids");
             without_gil([&] { self->reset(index); });
           }, py::arg("ids") = py::none(), kResetDoc)
      .def("counts", [](Self<StreamBank> self, const py::object& ids) {
             const auto index = bindings::to_indices(ids, "ids");
             return to_array(without_gil([&] { return self->counts(index); }));
           }, py::arg("ids"), kCountsDoc)
      .def("snapshot", &snapshot, kSnapshotDoc)
      .def("restore", &restore, py::arg("snapshot"), kRestoreDoc)
      .def("close", [](Self<StreamBank> self) { without_gil([&] { self->close(); }); }, kCloseDoc)
      .def_property_readonly("n_streams", [](Self<StreamBank> self) {
             return without_gil([&] { return self->n_streams(); });
           }, "The streams that exist.")
      .def_property_readonly("closed", [](Self<StreamBank> self) {
             return without_gil([&] { return self->closed(); });
           }, "Whether close() was called.")
      .def_property_readonly("capacity", [](Self<StreamBank> self) { return self->capacity(); }, "The most streams there can be.")
      .def_property_readonly("window_size", [](Self<StreamBank> self) { return self->window_size(); }, "W, the rows of a window.")
      .def_property_readonly("n_features", [](Self<StreamBank> self) { return self->n_features(); }, "F, the values of a row.");
}
