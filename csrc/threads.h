// A small pool of threads for work that is split once per call.
#pragma once

#include <cstdint>

namespace gatework {

// Calls task(context, k, worker) for every k in [0, count), on this thread and on up to `workers` - 1 others, and
// returns when all are done; `worker` in [0, workers) is different for tasks that run at the same time. Subnormal
// numbers are flushed to zero while a task runs and the caller's own mode is restored. May be called from several
// threads at once and in a process that was forked; `task` must not throw.
void parallel(int64_t count, int workers, void (*task)(void* context, int64_t index, int worker), void* context);

template <class Task>
void parallel(int64_t count, int workers, const Task& task) {
  parallel(
      count, workers,
      [](void* context, int64_t index, int worker) { (*static_cast<const Task*>(context))(index, worker); },
      const_cast<Task*>(&task));
}

}  // namespace gatework
