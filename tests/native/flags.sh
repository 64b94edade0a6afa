# What the kernels are compiled with, from CMakeLists.txt where it is written down. Source it with `root` set.
in_cmake() {
  local value
  value=$(sed -n "s/^ *set($1 \(.*\))$/\1/p" "$root/CMakeLists.txt")
  while [[ $value =~ \$\{([a-z0-9_]+)\} ]]; do
    value=${value/"${BASH_REMATCH[0]}"/$(in_cmake "${BASH_REMATCH[1]}")}
  done
  echo "$value"
}

# The instruction sets of this processor's family, and the ways of multiplying bytes; as CMakeLists.txt has them.
case $(uname -m) in
  x86_64) isas="baseline avx2 avx512 avx512_bf16 avx512_amx" byte_isas="baseline avx2 avx2_vnni avx512_vnni" ;;
  aarch64 | arm64) isas=neon byte_isas="neon neon_dot" ;;
  *) isas=baseline byte_isas=baseline ;;
esac

# Those of an instruction set alone: flags_of avx2.
flags_of() { in_cmake "$1_flags"; }

# The types of element that it has kernels for: elements_of avx2.
elements_of() {
  local own
  own=$(in_cmake "$1_elements")
  echo "${own:-$(in_cmake elements)}"
}

# The sources of csrc that are compiled for a type of element: sources_of float32.
sources_of() {
  [ "$1" = float64 ] || echo kernels
  [ "$1" = bfloat16 ] || echo options_kernels
}

# The kernels of losses and attention of an instruction set: lines of a source, a name, and what is defined for it. On
# AMX they are those of AVX512-BF16.
losses_of() {
  local element
  [ "$1" != avx512_amx ] || return 0
  for element in $(elements_of "$1"); do
    [ "$element" = float64 ] ||
      echo "$root/csrc/softmax/kernels.cpp loss_$1_$element -DGATEWORK_ISA=$1 -DGATEWORK_ELEMENT=$element"
  done
  case $1 in avx512_*) ;; *) echo "$root/csrc/attention/kernels.cpp attention_$1 -DGATEWORK_ISA=$1" ;; esac
}

# What reads and writes texts, without its doors to Python.
texts_sources() {
  local source
  for source in ctc ctc_paths language_model letter_model ngrams products sampling threads; do
    echo "$root/csrc/decoding/$source.cpp"
  done
}
