#!/bin/sh
# Builds the extension under the address and undefined-behaviour sanitizers and runs its Python tests.
#   cpp/check_extension.sh [python]
# The interpreter needs what the tests need, and no editable install of regimetry.
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}
build=build/sanitized

asan=$(g++ -print-file-name=libasan.so 2>/dev/null || true)
ubsan=$(g++ -print-file-name=libubsan.so 2>/dev/null || true)
if [ "$(uname)" != Linux ] || [ ! -f "$asan" ] || [ ! -f "$ubsan" ]; then
  echo "NOT RUN: the sanitizers of g++ on Linux are not here"
  exit 0
fi

rm -rf "$build"
CXX=g++ "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$build" \
  --config-settings=cmake.build-type=Debug --config-settings=build-dir="$build/cmake" \
  --config-settings=cmake.define.REGIMETRY_SANITIZE=address,undefined .
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$build/site" "$build"/*.whl

# The interpreter itself is not built for them, and keeps memory until it ends.
export PYTHONPATH="$PWD/$build/site" LD_PRELOAD="$asan $ubsan" ASAN_OPTIONS=detect_leaks=0
"$python" -P -c "import regimetry._core as c, sys; sys.exit('$build' not in c.__file__ and c.__file__)"
"$python" -P -m pytest -q -p no:cacheprovider tests/windows tests/runtime/test_recursion.py
