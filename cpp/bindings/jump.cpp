#include "regimetry/jump.hpp"

#include <memory>
#include <vector>

#include "arrays.hpp"
#include "register.hpp"

namespace py = pybind11;
using bindings::Array;
using regimetry::int64_t;
using regimetry::MatrixView;

namespace {

// Boundaries of the series inside the rows: M + 1 of them for M series.
std::vector<int64_t> to_offsets(const py::object& offsets, int64_t n) {
  if (offsets.is_none()) return {0, n};
  auto out = bindings::to_indices(offsets, "offsets");
  if (out.empty() || out.front() != 0 || out.back() != n) {
    regimetry::fail("offsets run from ", out.empty() ? 0 : out.front(), " to ",
                    out.empty() ? 0 : out.back(), "; expected 0 to ", n,
                    ", the number of distance rows; pass the start of each series and then the end");
  }
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i] < out[i - 1]) {
      regimetry::fail("offsets fall from ", out[i - 1], " to ", out[i], " at position ", i,
                      "; expected them sorted; order the series as their rows are");
    }
  }
  return out;
}

// The states to start from, (M, K) flat, each less its minimum; zeros where none was given.
std::vector<double> to_states(const py::object& state, int64_t series, int64_t k, bool many) {
  regimetry::checked_multiply(series, k, "the state");
  std::vector<double> out(static_cast<std::size_t>(series * k), 0.0);
  if (state.is_none()) return out;
  const Array a(state, "state");
  if (many) {
    a.require_ndim(2, "(M, K), one row for each series", "pass None to start afresh");
  } else {
    a.require_ndim(1, "(K,)", "pass values[-1] of the previous call, or None to start afresh");
  }
  if (!a.is_float64()) a.fail_dtype("float64", "use .astype('float64')");
  const int last = many ? 1 : 0;
  if (a.shape(last) != k || (many && a.shape(0) != series)) {
    regimetry::fail("state has shape ", a.shape_name(), "; expected ",
                    many ? "(" + std::to_string(series) + ", " + std::to_string(k) + ")"
                         : "(" + std::to_string(k) + ",)",
                    " for these distances; pass the state of the same series and regimes");
  }
  const MatrixView<double> view(a.data(), series, k, many ? a.stride(0) : 0, a.stride(last));
  for (int64_t m = 0; m < series; ++m) {
    double* row = out.data() + m * k;
    for (int64_t i = 0; i < k; ++i) {
      row[i] = view(m, i);
      if (!std::isfinite(row[i])) {
        regimetry::fail("state holds ", row[i], " for regime ", i,
                        "; expected finite numbers; pass values[-1] of the previous call, or None");
      }
    }
    regimetry::normalise_state(row, k);
  }
  return out;
}

struct Arguments {
  Arguments(const py::object& distance, py::handle penalty_object, const py::object& offsets_object)
      : array(distance, "distance"), penalty(bindings::to_double(penalty_object, "penalty")) {
    array.require_ndim(2, "(N, K)", "use distance[None, :] for a single row");
    if (!array.is_float32() && !array.is_float64()) {
      array.fail_dtype("float32 or float64", "use .astype('float64')");
    }
    if (array.shape(1) < 1) {
      regimetry::fail("distance has shape ", array.shape_name(),
                      "; expected at least one column; pass a column for each regime");
    }
    regimetry::require_penalty(penalty);
    offsets = to_offsets(offsets_object, rows());
  }
  int64_t rows() const { return array.shape(0); }
  int64_t k() const { return array.shape(1); }
  int64_t series() const { return static_cast<int64_t>(offsets.size()) - 1; }

  Array array;
  double penalty;
  std::vector<int64_t> offsets;
};

// Runs f(series, its rows) for every series, without the GIL. A bad row is named as the caller
// counts it: over all series.
template <class F>
void for_each_series(const Arguments& in, F&& f) {
  bindings::with_matrix(in.array, [&](const auto& all) {
    const py::gil_scoped_release release;
    for (int64_t m = 0; m < in.series(); ++m) {
      const int64_t first = in.offsets[static_cast<std::size_t>(m)];
      f(m, first, all, in.offsets[static_cast<std::size_t>(m) + 1] - first);
    }
  });
}

py::tuple jump_forward(const py::object& distance, py::handle penalty, const py::object& state,
                       const py::object& offsets) {
  const Arguments in(distance, penalty, offsets);
  auto states = to_states(state, in.series(), in.k(), !offsets.is_none());
  py::array_t<int64_t> labels(in.rows());
  py::array_t<double> values({in.rows(), in.k()});
  int64_t* label = labels.mutable_data();
  double* value = values.mutable_data();
  for_each_series(in, [&](int64_t m, int64_t first, const auto& all, int64_t n) {
    regimetry::jump_forward(all, first, n, in.penalty, states.data() + m * in.k(), label, value);
  });
  return py::make_tuple(labels, values);
}

py::tuple jump_labels(const py::object& distance, py::handle penalty, const py::object& state,
                      const py::object& offsets) {
  const Arguments in(distance, penalty, offsets);
  const bool many = !offsets.is_none();
  const auto states = to_states(state, in.series(), in.k(), many);
  py::array_t<int64_t> labels(in.rows());
  auto last = many ? py::array_t<double>({in.series(), in.k()}) : py::array_t<double>(in.k());
  std::copy(states.begin(), states.end(), last.mutable_data());
  int64_t* label = labels.mutable_data();
  double* value = last.mutable_data();
  for_each_series(in, [&](int64_t m, int64_t first, const auto& all, int64_t n) {
    regimetry::jump_labels(all, first, n, in.penalty, value + m * in.k(), label);
  });
  return py::make_tuple(labels, last);
}

py::array_t<int64_t> jump_path(const py::object& distance, py::handle penalty,
                               const py::object& offsets) {
  const Arguments in(distance, penalty, offsets);
  py::array_t<int64_t> labels(in.rows());
  int64_t* label = labels.mutable_data();
  for_each_series(in, [&](int64_t, int64_t first, const auto& all, int64_t n) {
    regimetry::jump_path(all, first, n, in.penalty, label);
  });
  return labels;
}

}  // namespace

void register_jump(py::module_& m) {
  m.def("jump_forward", &jump_forward, py::arg("distance"), py::arg("penalty"),
        py::arg("state") = py::none(), py::arg("offsets") = py::none(),
        R"(jump_forward(distance, penalty, state=None, offsets=None)
--

Label each row by what is known up to it, at a price for every change of regime.

``V_t = d_t + min(V_{t-1}, min(V_{t-1}) + penalty)``, ``V_0 = d_0``, label ``argmin V_t`` (the lowest
index on ties). Row t uses rows up to and including t, none after it.

Parameters
----------
distance : numpy.ndarray, shape (N, K), float32 or float64
    Finite costs of each regime; any strides; K >= 1, N may be 0.
penalty : float
    Price of a change, >= 0; infinity forbids changes.
state : numpy.ndarray, shape (K,), float64, optional
    Where to go on: ``values[-1]`` of the previous call; (M, K) with `offsets`. None starts afresh.
offsets : numpy.ndarray, shape (M + 1,), int64, optional
    Boundaries of M series that lie one after the other in `distance`, from 0 to N.

Returns
-------
labels : numpy.ndarray, shape (N,), int64
    The regime of each row.
values : numpy.ndarray, shape (N, K), float64
    V_t less its minimum, so that each row's least value is 0. Going on from ``values[-1]`` is
    bit-identical to one pass over all rows.

Raises
------
TypeError
    An argument is no array, or the penalty no number.
regimetry.errors.DataError
    Wrong shape or dtype, a negative penalty, a distance that is not finite (the message names the
    row), or offsets that are not boundaries.

Notes
-----
Thread safety: no state of its own; safe from several threads. Runs without the GIL.
)");
  m.def("jump_labels", &jump_labels, py::arg("distance"), py::arg("penalty"),
        py::arg("state") = py::none(), py::arg("offsets") = py::none(),
        R"(jump_labels(distance, penalty, state=None, offsets=None)
--

Do as `jump_forward` does, keeping only the last values: less to write, so faster.

Parameters
----------
distance : numpy.ndarray, shape (N, K), float32 or float64
    Finite costs of each regime; any strides; K >= 1, N may be 0.
penalty : float
    Price of a change, >= 0; infinity forbids changes.
state : numpy.ndarray, shape (K,), float64, optional
    Where to go on; (M, K) with `offsets`. None starts afresh.
offsets : numpy.ndarray, shape (M + 1,), int64, optional
    Boundaries of M series that lie one after the other in `distance`, from 0 to N.

Returns
-------
labels : numpy.ndarray, shape (N,), int64
    The regime of each row, from that row and earlier ones only.
state : numpy.ndarray, shape (K,), float64
    What the next call goes on from, (M, K) with `offsets`. A series without rows keeps its own.

Raises
------
TypeError
    An argument is no array, or the penalty no number.
regimetry.errors.DataError
    As for `jump_forward`.

Notes
-----
Thread safety: no state of its own; safe from several threads. Runs without the GIL.
)");
  m.def("jump_path", &jump_path, py::arg("distance"), py::arg("penalty"),
        py::arg("offsets") = py::none(),
        R"(jump_path(distance, penalty, offsets=None)
--

Find the labels of a whole series that cost least. Looks ahead: each label knows every row.

Minimises ``sum_t d[t, s_t] + penalty * (number of changes)`` by dynamic programming. On ties,
staying beats changing and the lowest last regime wins.

Parameters
----------
distance : numpy.ndarray, shape (N, K), float32 or float64
    Finite costs of each regime; any strides; K >= 1, N may be 0.
penalty : float
    Price of a change, >= 0; infinity forbids changes.
offsets : numpy.ndarray, shape (M + 1,), int64, optional
    Boundaries of M series that lie one after the other in `distance`, from 0 to N; each has a
    path of its own.

Returns
-------
numpy.ndarray, shape (N,), int64
    The labels of the best path.

Raises
------
TypeError
    An argument is no array, or the penalty no number.
regimetry.errors.DataError
    As for `jump_forward`.

Notes
-----
Needs 8 bytes of memory a row (for every 64 regimes). Thread safety: no state of its own; safe from several
threads. Runs without the GIL.
)");
}
