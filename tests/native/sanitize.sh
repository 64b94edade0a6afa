#!/usr/bin/env bash
# Builds the native driver with each sanitizer and runs it once per instruction set, that of tile registers on a model of
# them. Usage: sanitize.sh [FOLDER]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/sanitize}
compiler=${CXX:-g++}
mkdir -p "$build"
rm -f "$build"/*.o
. "$root/tests/native/flags.sh"

case $(uname -m) in
  x86_64) isas="baseline avx2 avx512 avx512_bf16 avx512_amx" ;;
  aarch64 | arm64) isas=neon ;;
  *) isas=baseline ;;
esac

model="-DGATEWORK_TILE_MODEL=\"$root/tests/native/tile_model.h\""
for sanitizer in address undefined thread; do
  common="-std=c++17 -O1 -g -ffp-contract=fast -fno-sanitize-recover=all -fsanitize=$sanitizer"
  for isa in $isas; do
    for element in $(elements_of "$isa"); do
      printf '%s\0' "$compiler $common '$model' $(flags_of "$isa") -DGATEWORK_ISA=$isa -DGATEWORK_ELEMENT=$element \
        -c '$root/csrc/kernels.cpp' -o '$build/$isa-$element-$sanitizer.o'"
    done
  done | xargs -0 -n 1 -P "$(getconf _NPROCESSORS_ONLN)" bash -c
  $compiler $common "$model" -o "$build/driver-$sanitizer" "$root/tests/native/driver.cpp" "$root/csrc/dispatch.cpp" \
    "$root/csrc/processor.cpp" "$root/csrc/threads.cpp" "$build"/*-"$sanitizer.o" -lpthread
  for isa in $isas; do
    echo "$sanitizer: $("$build/driver-$sanitizer" "$isa")"
  done
done
