#!/usr/bin/env bash
# Builds the native driver with each sanitizer and runs it once per instruction set. Usage: sanitize.sh [FOLDER]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/sanitize}
compiler=${CXX:-g++}
mkdir -p "$build"
. "$root/tests/native/flags.sh"

case $(uname -m) in
  x86_64) isas="baseline avx2 avx512 avx512_bf16" ;;
  aarch64 | arm64) isas=neon ;;
  *) isas=baseline ;;
esac

for sanitizer in address undefined thread; do
  common="-std=c++17 -O1 -g -ffp-contract=fast -fno-sanitize-recover=all -fsanitize=$sanitizer"
  objects=
  for isa in $isas; do
    for element in $(elements_of "$isa"); do
      object=$build/$isa-$element-$sanitizer.o
      $compiler $common $(flags_of "$isa") -DGATEWORK_ISA="$isa" -DGATEWORK_ELEMENT="$element" \
        -c "$root/csrc/kernels.cpp" -o "$object"
      objects="$objects $object"
    done
  done
  $compiler $common -o "$build/driver-$sanitizer" "$root/tests/native/driver.cpp" "$root/csrc/dispatch.cpp" \
    "$root/csrc/threads.cpp" $objects -lpthread
  for isa in $isas; do
    echo "$sanitizer: $("$build/driver-$sanitizer" "$isa")"
  done
done
