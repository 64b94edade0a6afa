# The compiler's flags, from CMakeLists.txt where they are written down. Source it with `root` set.
flags_in_cmake() { sed -n "s/^ *set($1 \(.*\))$/\1/p" "$root/CMakeLists.txt"; }

# Those of an instruction set alone: flags_of avx2.
flags_of() { flags_in_cmake "$1_flags"; }
