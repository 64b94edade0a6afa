#!/usr/bin/env bash
# Cross-compiles the native kernels for Windows on x86-64 with the clang of the package ziglang, and links them with the
# programs that test them; runs these where wine is installed. Usage: windows.sh [FOLDER]
# What needs Python's own headers for Windows (csrc/bind.cpp, csrc/*/bind*.cpp) is left out.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/windows}
. "$root/tests/native/flags.sh"

mkdir -p "$build"
tools=$build/tools
[ -x "$tools/bin/python" ] || python3 -m venv "$tools"
"$tools/bin/python" -m pip install -q "ziglang>=0.14"
compiler="$tools/bin/python -m ziglang c++ -target x86_64-windows-gnu"
# clang reads also what never runs: a division by the recurrent gates of a cell that has none.
common="-std=c++17 $(in_cmake kernel_flags) -Wall -Wextra -Wno-division-by-zero"

units=
objects=
for isa in baseline avx2 avx512 avx512_bf16 avx512_amx; do
  for element in $(elements_of $isa); do
    flags="$common $(flags_of $isa) -DGATEWORK_ISA=$isa -DGATEWORK_ELEMENT=$element"
    for source in $(sources_of $element); do
      units+="$compiler $flags -c $root/csrc/$source.cpp -o $build/${isa}_${element}_$source.o"$'\n'
      objects+=" $build/${isa}_${element}_$source.o"
    done
  done
done
for isa in baseline avx2 avx2_vnni avx512_vnni; do
  flags="$common $(flags_of $isa) -DGATEWORK_ISA=$isa"
  units+="$compiler $flags -c $root/csrc/quantized/kernels.cpp -o $build/bytes_$isa.o"$'\n'
done
losses=
for isa in baseline avx2 avx512 avx512_bf16; do
  while read -r source name definitions; do
    units+="$compiler $common $(flags_of $isa) $definitions -c $source -o $build/$name.o"$'\n'
    losses+=" $build/$name.o"
  done < <(losses_of $isa)
done
for source in dispatch halves partner processor threads attention/dispatch quantized/dispatch softmax/dispatch decoding/ctc decoding/ctc_paths decoding/language_model \
  decoding/layer_steps decoding/letter_model decoding/ngrams decoding/products decoding/read_out decoding/sampling \
  decoding/threads training/late_rows; do
  units+="$compiler $common -c $root/csrc/$source.cpp -o $build/${source//\//_}.o"$'\n'
done
# The kernels take minutes each: as many at once as the machine has cores.
printf '%s' "$units" | xargs -P "$(nproc)" -I {} sh -c '{}'
$compiler $common -o "$build/driver.exe" "$root/tests/native/driver.cpp" $objects "$build"/{dispatch,halves,partner,processor,threads}.o
$compiler $common -o "$build/byte_driver.exe" "$root/tests/native/byte_driver.cpp" "$build"/bytes_*.o \
  "$build"/{quantized_dispatch,threads}.o
$compiler $common -o "$build/loss_driver.exe" "$root/tests/native/loss_driver.cpp" $losses \
  "$build"/{softmax_dispatch,attention_dispatch,threads}.o
$compiler $common -o "$build/ctc_driver.exe" "$root/tests/native/ctc_driver.cpp" \
  "$build"/decoding_{ctc,ctc_paths,language_model,letter_model,ngrams,products,sampling,threads}.o
for program in driver byte_driver loss_driver ctc_driver; do
  echo "$build/$program.exe"
  if command -v wine >/dev/null; then wine "$build/$program.exe" baseline; fi
done
