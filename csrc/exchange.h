// What a thread and its partner, who share the scan of one sequence, hand each other (partner.h, unit_halves.h).
#pragma once

#include <atomic>
#include <cstdint>

namespace gatework {

// What the two hand each other. Each writes its own counter after what it has to say, and reads the other's before it
// reads that.
struct Exchange {
  static constexpr int64_t is_over = INT64_MAX;  // in `given`: no more messages
  static constexpr int64_t is_left = INT64_MIN;  // in `made`: nobody takes what the partner makes

  // The caller's messages: one begins a piece, and one follows each step of it but the last.
  alignas(64) std::atomic<int64_t> given{0};
  // The steps that the partner has handed over, n; -1 - n while it is not there.
  alignas(64) std::atomic<int64_t> made{-1};
  // The piece that the caller has begun: so many steps of a layer.
  alignas(64) int64_t layer = 0;
  int64_t steps = 0;
  void* memory = nullptr;     // what the messages say; unit_halves.h lays it out
  int64_t patience = 0;       // how long one waits for the other's next step, in microseconds
  int64_t leaves_after = -1;  // for tests: the partner goes away after so many steps
  // Waits until the counter is that far, negative or the microseconds are over, and returns it.
  int64_t (*wait)(const std::atomic<int64_t>& counter, int64_t at_least, int64_t microseconds) = nullptr;
  // The caller's own: whether it took a step of the partner's.
  alignas(64) bool was_shared = false;
};

}  // namespace gatework
