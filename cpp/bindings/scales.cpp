#include "regimetry/scales.hpp"

#include <vector>

#include "arrays.hpp"
#include "gil.hpp"
#include "register.hpp"

namespace py = pybind11;
using bindings::Array;
using regimetry::int64_t;

namespace {

// What both functions take: residuals of M series, parameters, and the scales they begin with.
struct Arguments {
  Arguments(const py::object& residuals_object, const py::object& table, const py::object& constant,
            const py::object& skew, const py::object& state, const py::object& offsets_object)
      : residuals_array(residuals_object, "residuals") {
    residuals_array.require_ndim(3, "(N, K, C)", "pass the residual of each row in each regime");
    k = residuals_array.shape(1), c = residuals_array.shape(2);
    if (k < 1 || c < 1) {
      regimetry::fail("residuals have shape ", residuals_array.shape_name(),
                      "; expected at least one regime and channel; pass those of a model");
    }
    residuals = bindings::dense_numbers(residuals_array, {rows(), k, c}, "(N, K, C)");
    const int64_t width = c * c + 2 * c + 4;
    const Array t(table, "parameters"), o(constant, "constants"), s(skew, "skew");
    parameters = {k, c, bindings::dense_numbers(t, {k, width}, "(K, C C + 2 C + 4)"),
                  bindings::dense_numbers(o, {k}, "(K,)"), bindings::dense_numbers(s, {c}, "(C,)")};
    offsets = bindings::to_offsets(offsets_object, rows());
    const Array h(state, "scales");
    const double* first = bindings::dense_numbers(h, {series(), k, 2 * c}, "(M, K, 2 C)");
    begin.assign(first, first + 2 * series() * k * c);
  }
  int64_t rows() const { return residuals_array.shape(0); }
  int64_t series() const { return static_cast<int64_t>(offsets.size()) - 1; }

  // Runs f(series, first row, rows) for every series, without the GIL.
  template <class F>
  void for_each(F&& f) const {
    bindings::without_gil([&] {
      for (int64_t m = 0; m < series(); ++m) {
        const int64_t first = offsets[static_cast<std::size_t>(m)];
        f(m, first, offsets[static_cast<std::size_t>(m) + 1] - first);
      }
    });
  }

  Array residuals_array;
  int64_t k = 0, c = 0;
  const double* residuals = nullptr;
  regimetry::ScaleParameters parameters{};
  std::vector<int64_t> offsets;
  std::vector<double> begin;  // (M, K, 2 C)
};

py::tuple scale_densities(const py::object& residuals, const py::object& parameters,
                          const py::object& constants, const py::object& skew,
                          const py::object& scales, const py::object& offsets) {
  Arguments in(residuals, parameters, constants, skew, scales, offsets);
  py::array_t<double> densities({in.rows(), in.k}), after({in.rows(), in.k, 2 * in.c});
  double *density = densities.mutable_data(), *scale = after.mutable_data();
  in.for_each([&](int64_t m, int64_t first, int64_t n) {
    regimetry::scale_forward(in.parameters, in.residuals, first, n,
                             in.begin.data() + 2 * m * in.k * in.c, density, scale);
  });
  return py::make_tuple(densities, after);
}

py::tuple scale_gradient(const py::object& residuals, const py::object& weights,
                         const py::object& parameters, const py::object& constants,
                         const py::object& skew, const py::object& scales,
                         const py::object& after, const py::object& offsets) {
  const Arguments in(residuals, parameters, constants, skew, scales, offsets);
  const Array w(weights, "weights"), a(after, "after");
  const double* weight = bindings::dense_numbers(w, {in.rows(), in.k}, "(N, K)");
  const double* moved = bindings::dense_numbers(a, {in.rows(), in.k, 2 * in.c}, "(N, K, 2 C)");
  py::array_t<double> of_residuals({in.rows(), in.k, in.c});
  py::array_t<double> of_table({in.k, in.parameters.width()}), of_skew(in.c);
  py::array_t<double> of_begin({in.series(), in.k, 2 * in.c});
  for (auto* out : {&of_table, &of_skew, &of_begin}) {
    std::fill_n(out->mutable_data(), out->size(), 0.0);
  }
  double *residual = of_residuals.mutable_data(), *table = of_table.mutable_data();
  double *skewed = of_skew.mutable_data(), *begins = of_begin.mutable_data();
  in.for_each([&](int64_t m, int64_t first, int64_t n) {
    const int64_t at = 2 * m * in.k * in.c;
    regimetry::scale_backward(in.parameters, in.residuals, weight, first, n, in.begin.data() + at,
                              moved, residual, table, skewed, begins + at);
  });
  return py::make_tuple(of_residuals, of_table, of_skew, of_begin);
}

}  // namespace

void register_scales(py::module_& m) {
  m.def("scale_densities", &scale_densities, py::arg("residuals"), py::arg("parameters"),
        py::arg("constants"), py::arg("skew"), py::arg("scales"), py::arg("offsets") = py::none(),
        R"(scale_densities(residuals, parameters, constants, skew, scales, offsets=None)
--

Give the log density of each row in each regime, and move each regime's scales.

With the residual e (K, C) of a row and the parts h and l (K, C) of the scale before it:
``z = e / sqrt(h + l)``,
``u = M z``, ``q = u / xi if u > 0 else u xi``, ``d = |q|^2``,
``log p = -constant - sum(log(h + l)) / 2 - (nu + C) / 2 log(1 + d / nu)``, and then
``h <- omega + a w e^2 + b h``, ``l <- g [e < 0] w e^2 + f l`` with ``w = (nu + C) / (nu + d)``. Every regime moves on
every row (Haas, Mittnik, Paolella 2004). Row t uses rows up to and including t.

Parameters
----------
residuals : numpy.ndarray, shape (N, K, C), float64
    Of each row in each regime; dense, as all arrays here.
parameters : numpy.ndarray, shape (K, C C + 2 C + 4), float64
    M by rows (lower triangle), omega, g, a, b, f, nu.
constants : numpy.ndarray, shape (K,), float64
skew : numpy.ndarray, shape (C,), float64
    xi, above 0; 1 for none.
scales : numpy.ndarray, shape (M, K, 2 C), float64
    h, and behind it l, before the first row of each series.
offsets : numpy.ndarray, shape (M + 1,), int64, optional
    Boundaries of M series that lie one after the other, from 0 to N; one series by default.

Returns
-------
densities : numpy.ndarray, shape (N, K), float64
    In nats.
scales : numpy.ndarray, shape (N, K, 2 C), float64
    After each row: those of the next one.

Raises
------
TypeError
    An argument is no array.
regimetry.errors.DataError
    Wrong shape, dtype or layout, or a density that is not finite.

Notes
-----
Thread safety: no state of its own; safe from several threads. Runs without the GIL.
)");
  m.def("scale_gradient", &scale_gradient, py::arg("residuals"), py::arg("weights"),
        py::arg("parameters"), py::arg("constants"), py::arg("skew"), py::arg("scales"),
        py::arg("after"), py::arg("offsets") = py::none(),
        R"(scale_gradient(residuals, weights, parameters, constants, skew, scales, after, offsets=None)
--

Give the gradient of ``sum(weights * densities)`` of `scale_densities`, in one pass back.

Parameters
----------
residuals, parameters, constants, skew, scales, offsets
    As for `scale_densities`.
weights : numpy.ndarray, shape (N, K), float64
after : numpy.ndarray, shape (N, K, 2 C), float64
    The scales that `scale_densities` returned.

Returns
-------
residuals, parameters, skew, scales : numpy.ndarray
    The derivatives, in the shapes of the arguments; the constants are held fixed.

Raises
------
TypeError
    An argument is no array.
regimetry.errors.DataError
    Wrong shape, dtype or layout.

Notes
-----
Thread safety: no state of its own; safe from several threads. Runs without the GIL.
)");
}
