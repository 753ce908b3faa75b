#!/bin/sh
# Builds and checks the C++ part without Python: warnings are errors, sanitizers are on.
#   cpp/check.sh [build folder]      FUZZ_SECONDS=10 CXX=g++ JOBS=2
# Ends with 0 only if everything that ran passed; says so where something could not run.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/check}
jobs=${JOBS:-2}
seconds=${FUZZ_SECONDS:-10}

configure() { # name, then options
  name=$1
  shift
  cmake -S . -B "$build/$name" -DREGIMETRY_WERROR=ON -DREGIMETRY_BUILD_PYTHON=OFF "$@" >"$build/$name.log" ||
    { cat "$build/$name.log"; exit 1; }
}
# The build's own output is only worth reading when it fails.
make_it() {
  cmake --build "$build/$1" --parallel "$jobs" >"$build/$1.log" 2>&1 || { cat "$build/$1.log"; exit 1; }
}
mkdir -p "$build"

echo "== tests under the address and undefined-behaviour sanitizers"
configure asan -DREGIMETRY_BUILD_TESTS=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo -DREGIMETRY_SANITIZE=address,undefined
make_it asan
ctest --test-dir "$build/asan" --output-on-failure --no-tests=error

echo "== gather and bank under the thread sanitizer"
configure tsan -DREGIMETRY_BUILD_TESTS=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo -DREGIMETRY_SANITIZE=thread
cmake --build "$build/tsan" --parallel "$jobs" --target test_gather --target test_stream_bank \
  >"$build/tsan.log" 2>&1 || { cat "$build/tsan.log"; exit 1; }
ctest --test-dir "$build/tsan" --output-on-failure --no-tests=error -R '^(gather|stream_bank)$'

echo "== a CMake project that uses the installed headers"
rm -rf "$build/prefix"
cmake --install "$build/asan" --prefix "$build/prefix" --component cpp >"$build/install.log"
cmake -S cpp/examples/consumer -B "$build/consumer" -DCMAKE_PREFIX_PATH="$PWD/$build/prefix" \
  >"$build/consumer.log" || { cat "$build/consumer.log"; exit 1; }
make_it consumer
"$build/consumer/consumer"

echo "== fuzzing the headers"
fuzz_probe='extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
if ! command -v clang++ >/dev/null; then
  echo "NOT RUN: no clang++ here, which libFuzzer needs"
elif ! echo "$fuzz_probe" | clang++ -x c++ - -fsanitize=fuzzer,address,undefined -o "$build/probe" 2>/dev/null; then
  echo "NOT RUN: clang++ is here without its fuzzer or sanitizer libraries"
else
  configure fuzz -DCMAKE_CXX_COMPILER=clang++ -DREGIMETRY_BUILD_FUZZER=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DREGIMETRY_SANITIZE=address,undefined
  make_it fuzz
  # Refused sizes ask for no memory, so the limit also shows that the estimates hold.
  "$build/fuzz/cpp/fuzz/fuzz_headers" -max_total_time="$seconds" -max_len=512 -rss_limit_mb=2048 \
    -print_final_stats=1 -verbosity=0 -print_funcs=0 -artifact_prefix="$build/"
fi
echo "== all of it passed"
