#!/usr/bin/env bash
# Builds the native driver with each sanitizer and runs it once per instruction set. Usage: sanitize.sh [FOLDER]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/sanitize}
compiler=${CXX:-g++}
mkdir -p "$build"

x86=
if [ "$(uname -m)" = x86_64 ]; then x86=-DGATEWORK_X86; fi
flags_of() {
  case $1 in
    avx2) echo "-mavx2 -mfma" ;;
    avx512) echo "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma" ;;
    avx512_bf16) echo "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mavx512bf16" ;;
  esac
}
isas=baseline
if [ -n "$x86" ]; then isas="baseline avx2 avx512 avx512_bf16"; fi

for sanitizer in address undefined thread; do
  common="-std=c++17 -O1 -g -ffp-contract=fast -fno-sanitize-recover=all -fsanitize=$sanitizer $x86"
  objects=
  for isa in $isas; do
    $compiler $common $(flags_of "$isa") -c "$root/csrc/isa/$isa.cpp" -o "$build/$isa-$sanitizer.o"
    objects="$objects $build/$isa-$sanitizer.o"
  done
  $compiler $common -o "$build/driver-$sanitizer" "$root/tests/native/driver.cpp" "$root/csrc/dispatch.cpp" \
    "$root/csrc/threads.cpp" $objects -lpthread
  for isa in $isas; do
    echo "$sanitizer: $("$build/driver-$sanitizer" "$isa")"
  done
done
