// A small pool of threads for work that is split once per call.
#pragma once

namespace gatework {

// Calls task(context, k) for every k in [0, count), on this thread and on up to count - 1 others, and returns when all
// are done. Subnormal numbers are flushed to zero while a task runs and the caller's own mode is restored. May be
// called from several threads at once and in a process that was forked; `task` must not throw.
void parallel(int count, void (*task)(void* context, int index), void* context);

}  // namespace gatework
