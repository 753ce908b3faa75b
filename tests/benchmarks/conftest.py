import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

# The checkout stays off the path: there, `regimetry` may have no built extension.
FOLDER = Path(__file__).parents[2] / "benchmarks"
spec = spec_from_file_location(
    "benchmarks", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
)
package = module_from_spec(spec)
sys.modules["benchmarks"] = package
spec.loader.exec_module(package)
