// A small pool of threads for work that is split once per call.
#pragma once

#include <cstdint>

namespace gatework {

// Calls task(context, k) for every k in [0, count), on this thread and on up to count - 1 others, and returns when all
// are done. Thread k begins with task k, at every call: what the task touched last time may still be in its core's
// cache. Subnormal numbers are flushed to zero while a task runs and the caller's own mode is restored. May be called
// from several threads at once and in a process that was forked; `task` must not throw.
void parallel(int64_t count, void (*task)(void* context, int64_t index), void* context);

// What a thread does between two looks at what it waits for.
void pause();

template <class Task>
void parallel(int64_t count, const Task& task) {
  parallel(
      count, [](void* context, int64_t index) { (*static_cast<const Task*>(context))(index); },
      const_cast<Task*>(&task));
}

}  // namespace gatework
