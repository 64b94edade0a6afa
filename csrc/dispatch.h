// Which instruction sets this build contains, which the processor supports, and which one is in use.
#pragma once

namespace gatework {

// The instruction sets in ascending order of preference.
enum class Isa : int { baseline = 0, avx2 = 1, avx512 = 2 };

// True when the processor and the operating system support `isa`.
bool is_supported(Isa isa);

}  // namespace gatework
