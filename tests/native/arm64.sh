#!/usr/bin/env bash
# Builds the native kernels for arm64 and runs their suite: cross-compiled and under qemu's user mode, or directly where
# the machine is one. Usage: arm64.sh [FOLDER]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/arm64}
. "$root/tests/native/flags.sh"

compiler=aarch64-linux-gnu-g++ objdump=aarch64-linux-gnu-objdump emulator="qemu-aarch64 -L /usr/aarch64-linux-gnu"
if [ "$(uname -m)" = aarch64 ]; then compiler=g++ objdump=objdump emulator=; fi
missing=
for tool in $compiler $objdump ${emulator%% *} python3; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  echo "arm64.sh: not installed:$missing; on Debian: apt-get install g++-aarch64-linux-gnu qemu-user python3" >&2
  exit 1
fi

mkdir -p "$build"
common="-std=c++17 $(in_cmake kernel_flags) -Wall -Wextra -Werror"
objects=
for element in $(elements_of neon); do
  for source in $(sources_of "$element"); do
    $compiler $common $(flags_of neon) -DGATEWORK_ISA=neon -DGATEWORK_ELEMENT="$element" \
      -c "$root/csrc/$source.cpp" -o "$build/$element-$source.o"
    objects="$objects $build/$element-$source.o"
  done
done
bytes=
for isa in neon neon_dot; do
  $compiler $common $(flags_of $isa) -DGATEWORK_ISA=$isa -c "$root/csrc/quantized/kernels.cpp" -o "$build/bytes_$isa.o"
  bytes="$bytes $build/bytes_$isa.o"
done
losses=
while read -r source name definitions; do
  $compiler $common $(flags_of neon) $definitions -c "$source" -o "$build/$name.o"
  losses="$losses $build/$name.o"
done < <(losses_of neon)
$compiler $common -o "$build/loss_driver" "$root/tests/native/loss_driver.cpp" "$root/csrc/softmax/dispatch.cpp" \
  "$root/csrc/attention/dispatch.cpp" "$root/csrc/threads.cpp" $losses -lpthread -ldl
$compiler $common -o "$build/ctc_driver" "$root/tests/native/ctc_driver.cpp" $(texts_sources) -lpthread -ldl
$compiler $common $(flags_of neon) -DGATEWORK_ISA=neon "$root/tests/native/activations.cpp" -o "$build/activations"
$compiler $common -o "$build/driver" "$root/tests/native/driver.cpp" "$root/csrc/dispatch.cpp" \
  "$root/csrc/processor.cpp" "$root/csrc/halves.cpp" "$root/csrc/partner.cpp" "$root/csrc/threads.cpp" $objects -lpthread
$compiler $common -o "$build/byte_driver" "$root/tests/native/byte_driver.cpp" "$root/csrc/quantized/dispatch.cpp" \
  "$root/csrc/threads.cpp" $bytes -lpthread
$objdump -d -C --no-show-raw-insn $objects | python3 "$root/tests/native/registers.py"
$emulator "$build/activations"
$emulator "$build/driver" neon
$emulator "$build/loss_driver" neon
$emulator "$build/ctc_driver"
for isa in neon neon_dot; do $emulator "$build/byte_driver" $isa; done
