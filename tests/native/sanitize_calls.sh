#!/usr/bin/env bash
# Builds the native modules with AddressSanitizer and UndefinedBehaviorSanitizer and runs tests of Python on them: what
# decodes and counts, losses, attention, rows that catch up, everything that is handed over, and random scans. The kernels of
# scans come as `make setup` compiled them; sanitize.sh has those. Usage: sanitize_calls.sh [FOLDER [TEST ...]]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/sanitize-calls}
tests=${*:2}
tests=${tests:-tests/decoding tests/nn/softmax tests/nn/test_attention.py tests/native/test_fuzz.py tests/scan
  tests/training/test_late_rows.py}
python=$root/.venv/bin/python
compiler=${CXX:-g++}
. "$root/tests/native/flags.sh"
mkdir -p "$build"
rm -f "$build"/*.o

nanobind=$("$python" -c "import nanobind; print(nanobind.source_dir())")
headers=$("$python" -c "import sysconfig; print(sysconfig.get_paths()['include'])")
sanitized="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
common="-std=c++17 -O1 -g -fPIC -fvisibility=hidden -ffp-contract=fast $sanitized"
door="-isystem $headers -isystem $nanobind/../include -isystem $nanobind/../ext/robin_map/include"

units=
unit() { units+="$compiler $common ${*:3} -c $1 -o $build/$2.o"$'\n'; }
for source in "$root"/csrc/decoding/*.cpp; do unit "$source" "decoding-$(basename "$source" .cpp)" $door; done
for source in "$root"/csrc/training/*.cpp; do unit "$source" "training-$(basename "$source" .cpp)" $door; done
for source in bind dispatch processor threads attention/bind attention/dispatch quantized/bind quantized/dispatch \
  softmax/bind softmax/dispatch; do
  unit "$root/csrc/$source.cpp" "native-${source//\//-}" $door
done
for isa in $isas; do
  while read -r source name definitions; do
    unit "$source" "native-$name" $(flags_of "$isa") $definitions
  done < <(losses_of "$isa")
done
units+="$compiler -std=c++17 -O1 -fPIC -fno-strict-aliasing $door -c $nanobind/nb_combined.cpp -o $build/nanobind.o"$'\n'
printf '%s' "$units" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I {} sh -c '{}'

# As the last `make setup` has left them for this Python.
compiled=$root/build/$("$python" -c "import sys, sysconfig; v = 'cp%d%d' % sys.version_info[:2]; \
print(v, v, sysconfig.get_platform().translate(str.maketrans('-.', '__')), sep='-')")/CMakeFiles
kernels=
for isa in $isas; do
  for element in $(elements_of "$isa"); do
    for source in $(sources_of "$element"); do
      kernels+=" $compiled/${source}_${isa}_$element.dir/csrc/$source.cpp.o"
    done
  done
done
for isa in $byte_isas; do kernels+=" $compiled/byte_kernels_$isa.dir/csrc/quantized/kernels.cpp.o"; done
$compiler -shared $sanitized "$build"/native-*.o "$build/nanobind.o" $kernels -o "$build/_native.so" -lpthread -ldl
$compiler -shared $sanitized "$build"/decoding-*.o "$build/nanobind.o" -o "$build/_decoding.so" -lpthread -ldl
$compiler -shared $sanitized "$build"/training-*.o "$build/nanobind.o" -o "$build/_training.so"

# Python and torch are not watched themselves, but their memory is: a kernel that leaves a tensor is found.
preloaded="$($compiler -print-file-name=libasan.so) $($compiler -print-file-name=libubsan.so) $($compiler -print-file-name=libstdc++.so.6)"
cd "$root"
GATEWORK_SANITIZED=$build PYTHONPATH=tests OMP_NUM_THREADS=2 LD_PRELOAD=$preloaded ASAN_OPTIONS=detect_leaks=0 \
  UBSAN_OPTIONS=print_stacktrace=1 "$python" -m pytest -p support.sanitized_modules -p no:cacheprovider $tests
