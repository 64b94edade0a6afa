#!/usr/bin/env bash
# Builds the native drivers with sanitizers and runs them once per instruction set, that of tile registers on a model of
# them. Usage: sanitize.sh [FOLDER [PART ...]]; the parts are texts (by letters), losses (and attention), bytes (the kernels
# on int8) and scans, which take most of the time. SANITIZERS=thread leaves the other two out.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/sanitize}
parts=${*:2}
parts=${parts:-texts losses bytes scans}
compiler=${CXX:-g++}
mkdir -p "$build"
rm -f "$build"/*.o
. "$root/tests/native/flags.sh"

model="-DGATEWORK_TILE_MODEL=\"$root/tests/native/tile_model.h\""
said() { local text; text=$("$@"); echo "$sanitizer: $text"; }  # a failure ends the script, as within echo it would not
at_once() { xargs -0 -n 1 -P "$(getconf _NPROCESSORS_ONLN)" bash -c; }

texts() {
  $compiler $common -o "$build/ctc-driver-$sanitizer" "$root/tests/native/ctc_driver.cpp" $(texts_sources) -lpthread -ldl
  said "$build/ctc-driver-$sanitizer"
}

losses() {
  for isa in $isas; do
    losses_of "$isa" | while read -r kernels name definitions; do
      printf '%s\0' "$compiler $common $(flags_of "$isa") $definitions -c '$kernels' -o '$build/losses-$name-$sanitizer.o'"
    done
  done | at_once
  $compiler $common -o "$build/loss-driver-$sanitizer" "$root/tests/native/loss_driver.cpp" \
    "$root/csrc/softmax/dispatch.cpp" "$root/csrc/attention/dispatch.cpp" "$root/csrc/threads.cpp" \
    "$build"/losses-*-"$sanitizer.o" -lpthread -ldl
  for isa in $isas; do
    said "$build/loss-driver-$sanitizer" "$isa"
  done
}

bytes() {
  for isa in $byte_isas; do
    printf '%s\0' "$compiler $common $(flags_of "$isa") -DGATEWORK_ISA=$isa \
      -c '$root/csrc/quantized/kernels.cpp' -o '$build/bytes-$isa-$sanitizer.o'"
  done | at_once
  $compiler $common -o "$build/byte-driver-$sanitizer" "$root/tests/native/byte_driver.cpp" \
    "$root/csrc/quantized/dispatch.cpp" "$root/csrc/threads.cpp" "$build"/bytes-*-"$sanitizer.o" -lpthread
  for isa in $byte_isas; do
    said "$build/byte-driver-$sanitizer" "$isa"
  done
}

scans() {
  for isa in $isas; do
    for element in $(elements_of "$isa"); do
      for source in $(sources_of "$element"); do
        printf '%s\0' "$compiler $common '$model' $(flags_of "$isa") -DGATEWORK_ISA=$isa -DGATEWORK_ELEMENT=$element \
          -c '$root/csrc/$source.cpp' -o '$build/scans-$isa-$element-$source-$sanitizer.o'"
      done
    done
  done | at_once
  $compiler $common "$model" -o "$build/driver-$sanitizer" "$root/tests/native/driver.cpp" "$root/csrc/dispatch.cpp" \
    "$root/csrc/processor.cpp" "$root/csrc/halves.cpp" "$root/csrc/partner.cpp" "$root/csrc/threads.cpp" \
    "$build"/scans-*-"$sanitizer.o" -lpthread
  for isa in $isas; do
    said "$build/driver-$sanitizer" "$isa"
  done
}

for sanitizer in ${SANITIZERS:-address,undefined thread}; do
  common="-std=c++17 -O1 -g -ffp-contract=fast -fno-sanitize-recover=all -fsanitize=$sanitizer"
  for part in $parts; do "$part"; done
done
