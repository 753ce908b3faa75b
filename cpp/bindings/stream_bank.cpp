#include "regimetry/stream_bank.hpp"

#include "arrays.hpp"
#include "gil.hpp"
#include "register.hpp"
#include "self.hpp"
#include "stream_bank_doc.hpp"

namespace py = pybind11;
using bindings::Array;
using bindings::Self;
using regimetry::int64_t;
using regimetry::MatrixView;
using regimetry::StreamBank;

namespace {

constexpr int64_t kVersion = 1;
constexpr const char* kKind = "stream_bank";

// Rule: no Python runs while the bank's lock is held, since any object that dies may call the bank
// again. So arguments are read before, outputs made before, and the lock is taken without the GIL.
using bindings::without_gil;

py::array_t<int64_t> to_array(const std::vector<int64_t>& ids) {
  return py::array_t<int64_t>(static_cast<py::ssize_t>(ids.size()), ids.data());
}

// Calls f(zero) with a float or a double: what the rows are kept as.
template <class F>
auto with_kept(const StreamBank& bank, F&& f) {
  return bank.doubles() ? f(double()) : f(float());
}

// An array (n, W, F) of what the rows are kept as.
template <class Kept>
py::array_t<Kept> rows_array(const StreamBank& bank, int64_t n) {
  return py::array_t<Kept>({n, bank.window_size(), bank.n_features()});
}

// Numbers (n, S) as the core gives them.
py::array_t<double> numbers_array(const StreamBank& bank, const std::vector<double>& flat,
                                  std::size_t n) {
  return py::array_t<double>({static_cast<int64_t>(n), bank.n_numbers()}, flat.data());
}

// Dense float64 numbers of `ndim` dimensions, copied.
std::vector<double> to_numbers(const py::object& object, int ndim, const char* layout) {
  const Array a(object, "numbers");
  a.require_ndim(ndim, layout, "pass what numbers() gives");
  if (!a.is_float64() || !a.dense())
    a.fail_dtype("C-contiguous float64", "use np.ascontiguousarray");
  const auto* data = static_cast<const double*>(a.data());
  return {data, data + a.shape(0) * (ndim > 1 ? a.shape(1) : 1)};
}

// Gives the memory behind the first n rows back.
template <class Kept>
py::array_t<Kept> first_rows(py::array_t<Kept> array, int64_t n) {
  std::vector<py::ssize_t> shape(array.shape(), array.shape() + array.ndim());
  if (shape[0] != n) {
    shape[0] = n;
    array.resize(shape, false);
  }
  return array;
}

py::tuple stage(Self<StreamBank> self, const py::object& ids, const py::object& rows,
                py::handle threads) {
  const auto index = bindings::to_indices(ids, "ids");
  const Array a(rows, "rows");
  const int64_t n_threads = bindings::to_int64(threads, "threads");
  return bindings::with_matrix(a, [&](const auto& view) {
    return with_kept(*self, [&](auto kept) -> py::tuple {
      // Room for all: how many windows there will be is known under the lock. What is not written
      // to costs no memory.
      const auto room = static_cast<int64_t>(index.size());
      py::array_t<int64_t> ready_ids(room);
      auto windows = rows_array<decltype(kept)>(*self, room);
      const auto places = std::make_pair(ready_ids.mutable_data(), windows.mutable_data());
      int64_t ready = 0;
      without_gil([&] {
        self->stage(index, view, n_threads, [&](int64_t n) {
          ready = n;
          return places;
        });
      });
      return py::make_tuple(first_rows(ready_ids, ready), first_rows(windows, ready));
    });
  });
}

void commit(Self<StreamBank> self, const py::object& ids, const py::object& rows,
            const py::object& changed, const py::object& numbers) {
  const auto index = bindings::to_indices(ids, "ids");
  const auto streams =
      changed.is_none() ? std::vector<int64_t>() : bindings::to_indices(changed, "changed");
  const Array a(rows, "rows");
  const auto push = [&](const MatrixView<double>& each) {
    bindings::with_matrix(a, [&](const auto& view) {
      without_gil([&] { self->commit(index, view, streams, each); });
    });
  };
  if (numbers.is_none()) return push(MatrixView<double>(nullptr, 0, self->n_numbers()));
  const Array given(numbers, "numbers");
  if (!given.is_float64()) given.fail_dtype("float64", "use .astype('float64')");
  given.require_ndim(2, "(n, S)", "pass a row for each of the streams that change");
  push(MatrixView<double>(given.data(), given.shape(0), given.shape(1), given.stride(0),
                          given.stride(1)));
}

// Thrown where streams were added since room for the snapshot was made.
struct NoRoom {};

py::dict snapshot(Self<StreamBank> self) {
  py::object rows;
  const auto state = with_kept(*self, [&](auto kept) {
    for (;;) {
      const int64_t room = without_gil([&] { return self->n_streams(); });
      auto array = rows_array<decltype(kept)>(*self, room);
      auto* const data = array.mutable_data();
      try {
        auto found = without_gil([&] {
          return self->snapshot([&](int64_t n) {
            if (n > room) throw NoRoom();
            return data;
          });
        });
        rows = first_rows(array, static_cast<int64_t>(found.ids.size()));
        return found;
      } catch (const NoRoom&) {
      }
    }
  });
  py::dict out;
  out["kind"] = kKind;
  out["version"] = kVersion;
  out["window_size"] = self->window_size();
  out["n_features"] = self->n_features();
  out["ids"] = to_array(state.ids);
  out["counts"] = to_array(state.counts);
  out["rows"] = rows;
  if (self->n_numbers() > 0) out["numbers"] = numbers_array(*self, state.numbers, state.ids.size());
  return out;
}

void restore(Self<StreamBank> self, py::handle object) {
  const py::dict snapshot = bindings::to_snapshot(object);
  bindings::require_snapshot(snapshot, kKind, kVersion, self->window_size(), self->n_features());
  regimetry::BankState state{
      bindings::to_indices(bindings::snapshot_item(snapshot, "ids"), "ids"),
      bindings::to_indices(bindings::snapshot_item(snapshot, "counts"), "counts"),
      {}};
  if (self->n_numbers() > 0) {
    state.numbers = to_numbers(bindings::snapshot_item(snapshot, "numbers"), 2, "(n, S)");
  }
  const py::object rows = bindings::snapshot_item(snapshot, "rows");
  const Array a(rows, "rows");
  a.require_ndim(3, "(n, W, F)", "restore an unchanged snapshot");
  if (!(self->doubles() ? a.is_float64() : a.is_float32())) {
    a.fail_dtype(self->doubles() ? "float64" : "float32", "restore an unchanged snapshot");
  }
  if (!a.dense() || a.shape(1) != self->window_size()) {
    regimetry::fail("the snapshot's rows have shape ", a.shape_name(),
                    "; expected C-contiguous (n, ", self->window_size(), ", ", self->n_features(),
                    "); restore an unchanged snapshot");
  }
  with_kept(*self, [&](auto kept) {
    const MatrixView<decltype(kept)> view(static_cast<const decltype(kept)*>(a.data()),
                                          a.shape(0) * a.shape(1), a.shape(2));
    without_gil([&] { self->restore(state, view); });
  });
}

bool keeps_doubles(const std::string& dtype) {
  if (dtype != "float32" && dtype != "float64") {
    regimetry::fail("dtype is '", dtype, "'; expected 'float32' or 'float64'; pass one of them");
  }
  return dtype == "float64";
}

}  // namespace

void register_stream_bank(py::module_& m) {
  py::class_<StreamBank>(m, "StreamBank", py::is_final(), plain_type(), kBankDoc)
      .def(py::init([](py::handle n_streams, py::handle window_size, py::handle n_features,
                       const py::object& capacity, const py::object& numbers,
                       const std::string& dtype) {
             const int64_t n = bindings::to_int64(n_streams, "n_streams");
             return new StreamBank(
                 n, bindings::to_int64(window_size, "window_size"),
                 bindings::to_int64(n_features, "n_features"),
                 capacity.is_none() ? n : bindings::to_int64(capacity, "capacity"),
                 numbers.is_none() ? std::vector<double>() : to_numbers(numbers, 1, "(S,)"),
                 keeps_doubles(dtype));
           }),
           py::arg("n_streams"), py::arg("window_size"), py::arg("n_features"),
           py::arg("capacity") = py::none(), py::arg("numbers") = py::none(),
           py::arg("dtype") = "float32",
           "__init__(self, n_streams, window_size, n_features, capacity=None, numbers=None, "
           "dtype='float32')\n--\n\n")
      .def("stage", &stage, py::arg("ids"), py::arg("rows"), py::arg("threads") = 1, kStageDoc)
      .def("commit", &commit, py::arg("ids"), py::arg("rows"), py::arg("changed") = py::none(),
           py::arg("numbers") = py::none(), kCommitDoc)
      .def(
          "numbers",
          [](Self<StreamBank> self, const py::object& ids) {
            const auto index = bindings::to_indices(ids, "ids");
            return numbers_array(*self, without_gil([&] { return self->numbers(index); }),
                                 index.size());
          },
          py::arg("ids"), kNumbersDoc)
      .def(
          "add",
          [](Self<StreamBank> self, py::handle count) {
            const int64_t n = bindings::to_int64(count, "count");
            return to_array(without_gil([&] { return self->add(n); }));
          },
          py::arg("count") = 1, kAddDoc)
      .def(
          "drop",
          [](Self<StreamBank> self, const py::object& ids) {
            const auto index = bindings::to_indices(ids, "ids");
            without_gil([&] { self->drop(index); });
          },
          py::arg("ids"), kDropDoc)
      .def(
          "reset",
          [](Self<StreamBank> self, const py::object& ids) {
            if (ids.is_none()) return without_gil([&] { self->reset(); });
            const auto index = bindings::to_indices(ids, "ids");
            without_gil([&] { self->reset(index); });
          },
          py::arg("ids") = py::none(), kResetDoc)
      .def(
          "counts",
          [](Self<StreamBank> self, const py::object& ids) {
            const auto index = bindings::to_indices(ids, "ids");
            return to_array(without_gil([&] { return self->counts(index); }));
          },
          py::arg("ids"), kCountsDoc)
      .def("snapshot", &snapshot, kSnapshotDoc)
      .def("restore", &restore, py::arg("snapshot"), kRestoreDoc)
      .def(
          "close", [](Self<StreamBank> self) { without_gil([&] { self->close(); }); }, kCloseDoc)
      .def_property_readonly(
          "n_streams",
          [](Self<StreamBank> self) { return without_gil([&] { return self->n_streams(); }); },
          "The streams that exist.")
      .def_property_readonly(
          "closed",
          [](Self<StreamBank> self) { return without_gil([&] { return self->closed(); }); },
          "Whether close() was called.")
      .def_property_readonly(
          "capacity", [](Self<StreamBank> self) { return self->capacity(); },
          "The most streams there can be.")
      .def_property_readonly(
          "window_size", [](Self<StreamBank> self) { return self->window_size(); },
          "W, the rows of a window.")
      .def_property_readonly(
          "n_features", [](Self<StreamBank> self) { return self->n_features(); },
          "F, the values of a row.");
}
