#include "processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gatework {

#if defined(GATEWORK_TILE_MODEL)

bool has_tile_registers() { return true; }
bool gains_by_bfloat16() { return true; }
bool hides_products() { return true; }

#elif defined(__x86_64__) && defined(__linux__)

namespace {

// Whether the operating system keeps both the shape and the contents of tile registers for each thread.
bool are_kept() {
  unsigned eax, ebx, ecx, edx;
  constexpr unsigned uses_xsave = 1u << 27, tile_state = 3u << 17;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & uses_xsave)) return false;
  unsigned saved, upper;
  asm volatile("xgetbv" : "=a"(saved), "=d"(upper) : "c"(0));
  return (saved & tile_state) == tile_state;
}

bool are_there() {
  unsigned eax, ebx, ecx, edx;
  constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  return (edx & amx_bf16) && (edx & amx_tile);
}

// https://docs.kernel.org/arch/x86/xstate.html
bool are_lent() {
  constexpr long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

}  // namespace

bool has_tile_registers() {
  static const bool has = are_there() && are_kept() && are_lent();
  return has;
}

#else

bool has_tile_registers() { return false; }

#endif

#if !defined(GATEWORK_TILE_MODEL)

namespace {

bool is_intel() {
#if defined(__x86_64__)
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_INTEL_ebx;
#else
  return false;
#endif
}

}  // namespace

bool gains_by_bfloat16() { return has_tile_registers() || !is_intel(); }

bool hides_products() {
  static const bool hides = !is_intel();
  return hides;
}

#endif

}  // namespace gatework
