#include "threads.h"

#if defined(__linux__)
#include <dlfcn.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gatework {

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

namespace {

// Flushes subnormal numbers to zero for as long as it lives.
class FlushSubnormals {
 public:
#if defined(__x86_64__)
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
  ~FlushSubnormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushSubnormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (1ull << 24)));
  }
  ~FlushSubnormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  unsigned long long before_;
#else
  FlushSubnormals() {}
#endif
};

struct Job {
  void (*task)(void*, int64_t);
  void* context;
  int64_t count;
  std::vector<std::atomic<bool>> taken;  // by index
  std::atomic<int64_t> unfinished;
};

// The thread's own task, then those whose threads have not come to them.
void work(Job& job, int64_t own) {
  const FlushSubnormals flush;
  for (int64_t k = 0; k < job.count; ++k) {
    const int64_t index = (own + k) % job.count;
    if (job.taken[static_cast<size_t>(index)].exchange(true)) continue;
    job.task(job.context, index);
    job.unfinished.fetch_sub(1, std::memory_order_release);
  }
}

// Workers sleep until `generation_` moves; one call at a time has the pool.
class Pool {
 public:
  // False when another thread has the pool: the caller then works alone.
  bool run(Job& job) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    grow(job.count - 1);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      ++generation_;
    }
    wake_.notify_all();
    work(job, 0);
    while (job.unfinished.load(std::memory_order_acquire) > 0) pause();
    {
      // No worker may still look at the job when it goes out of scope.
      std::unique_lock<std::mutex> lock(mutex_);
      job_ = nullptr;
      idle_.wait(lock, [this] { return inside_ == 0; });
    }
    busy_.store(false, std::memory_order_release);
    return true;
  }

 private:
  void grow(int64_t count) {
    while (static_cast<int64_t>(threads_.size()) < count) {
      threads_.emplace_back([this, number = static_cast<int64_t>(threads_.size()) + 1] { serve(number); });
      threads_.back().detach();
    }
  }

  void serve(int64_t number) {
    unsigned long long seen = 0;
    for (;;) {
      Job* job = nullptr;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_ != seen; });
        seen = generation_;
        if (job_ && number < job_->count) {
          ++inside_;
          job = job_;
        }
      }
      if (!job) continue;
      work(*job, number);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--inside_ == 0) idle_.notify_one();
    }
  }

  std::atomic<bool> busy_{false};
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::vector<std::thread> threads_;
  Job* job_ = nullptr;
  int inside_ = 0;
  unsigned long long generation_ = 0;
};

// The OpenMP library that torch computes with: its threads still spin for some milliseconds after torch's last
// operation, and threads of our own would fight them for the cores. Null where torch was built with none, or with one
// that lacks these entries.
struct OpenMP {
  void (*region)(void (*)(void*), void* context, unsigned threads, unsigned flags) = nullptr;
  int (*thread_number)() = nullptr;
};

OpenMP find_openmp() {
  OpenMP found;
#if defined(__linux__)
  if (void* const torch = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD)) {
    found.region = reinterpret_cast<decltype(found.region)>(dlsym(torch, "GOMP_parallel"));
    found.thread_number = reinterpret_cast<decltype(found.thread_number)>(dlsym(torch, "omp_get_thread_num"));
  }
#endif
  return found;
}

std::atomic<Pool*> current{nullptr};
std::atomic<bool> is_forked{false};

// A forked process has none of its parent's threads, and OpenMP libraries do not recover from that: it starts a pool of
// its own and leaves the parent's alone.
[[maybe_unused]] void forget_threads() {
  current.store(nullptr);
  is_forked.store(true);
}

#if !defined(_WIN32)  // where no process is forked
// From the moment that the library is loaded: torch may have started its threads before the first call here.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, forget_threads);
#endif

// False when there is no such library. The team has the library's own size, that of torch's operations: a team of
// another size would make it end and start threads. Threads beyond the tasks find nothing to do.
bool run_in_region(Job& job) {
  static const OpenMP openmp = find_openmp();
  if (!openmp.region || !openmp.thread_number || is_forked.load(std::memory_order_relaxed)) return false;
  const auto member = [](void* context) {
    Job& job = *static_cast<Job*>(context);
    const int number = openmp.thread_number();
    if (number < job.count) work(job, number);
  };
  openmp.region(member, &job, 0, 0);
  return true;
}

Pool& pool() {
  Pool* found = current.load(std::memory_order_acquire);
  if (!found) {
    Pool* fresh = new Pool;  // lives as long as the process: its threads may outlast static objects
    if (current.compare_exchange_strong(found, fresh)) return *fresh;
    delete fresh;
  }
  return *found;
}

}  // namespace

void parallel(int64_t count, void (*task)(void* context, int64_t index), void* context) {
  if (count == 1) {
    const FlushSubnormals flush;
    task(context, 0);
    return;
  }
  Job job{task, context, count, std::vector<std::atomic<bool>>(static_cast<size_t>(count)), {count}};
  if (!run_in_region(job) && !pool().run(job)) work(job, 0);
}

}  // namespace gatework
