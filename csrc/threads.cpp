#include "threads.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gatework {
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

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

struct Job {
  void (*task)(void*, int64_t, int);
  void* context;
  int64_t count;
  int workers;
  std::atomic<int64_t> next{0};  // the first index nobody has taken
  std::atomic<int64_t> unfinished{0};
};

void work(Job& job, int worker) {
  const FlushSubnormals flush;
  for (int64_t k = job.next.fetch_add(1); k < job.count; k = job.next.fetch_add(1)) {
    job.task(job.context, k, worker);
    job.unfinished.fetch_sub(1, std::memory_order_release);
  }
}

// Workers sleep until `generation_` moves; one call at a time has the pool.
class Pool {
 public:
  // False when another thread has the pool: the caller then works alone.
  bool run(Job& job) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    grow(job.workers - 1);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      wanted_ = job.workers - 1;
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
  void grow(int count) {
    while (static_cast<int>(threads_.size()) < count) {
      threads_.emplace_back([this] { serve(); });
      threads_.back().detach();
    }
  }

  void serve() {
    unsigned long long seen = 0;
    for (;;) {
      Job* job = nullptr;
      int worker = 0;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_ != seen; });
        seen = generation_;
        if (job_ && wanted_ > 0) {
          worker = wanted_--;
          ++inside_;
          job = job_;
        }
      }
      if (!job) continue;
      work(*job, worker);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--inside_ == 0) idle_.notify_one();
    }
  }

  std::atomic<bool> busy_{false};
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::vector<std::thread> threads_;
  Job* job_ = nullptr;
  int wanted_ = 0, inside_ = 0;
  unsigned long long generation_ = 0;
};

// The start of a parallel region of the OpenMP library that torch computes with: its threads still spin for some
// milliseconds after torch's last operation, and threads of our own would fight them for the cores. Null where torch
// was built with none, or with one that lacks this entry.
using Region = void (*)(void (*)(void*), void* context, unsigned threads, unsigned flags);

Region find_region() {
#if defined(__linux__)
  void* const torch = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
  return torch ? reinterpret_cast<Region>(dlsym(torch, "GOMP_parallel")) : nullptr;
#else
  return nullptr;
#endif
}

std::atomic<Pool*> current{nullptr};
std::atomic<bool> is_forked{false};

// A forked process has none of its parent's threads, and OpenMP libraries do not recover from that: it starts a pool of
// its own and leaves the parent's alone.
void forget_threads() {
  current.store(nullptr);
  is_forked.store(true);
}

void watch_forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_threads);
  (void)registered;
}

// False when there is no such library. The team has the library's own size, that of torch's operations: a team of
// another size would make it end and start threads. Threads beyond `workers` find nothing to do.
bool run_in_region(Job& job) {
  static const Region region = find_region();
  watch_forks();
  if (!region || is_forked.load(std::memory_order_relaxed)) return false;
  struct Team {
    Job& job;
    std::atomic<int> joined{0};
  } team{job};
  const auto member = [](void* context) {
    Team& team = *static_cast<Team*>(context);
    const int worker = team.joined.fetch_add(1);
    if (worker < team.job.workers) work(team.job, worker);
  };
  region(member, &team, 0, 0);
  return true;
}

Pool& pool() {
  watch_forks();
  Pool* found = current.load(std::memory_order_acquire);
  if (!found) {
    Pool* fresh = new Pool;  // lives as long as the process: its threads may outlast static objects
    if (current.compare_exchange_strong(found, fresh)) return *fresh;
    delete fresh;
  }
  return *found;
}

}  // namespace

void parallel(int64_t count, int workers, void (*task)(void* context, int64_t index, int worker), void* context) {
  if (workers > count) workers = static_cast<int>(count);
  Job job{task, context, count, workers};
  job.unfinished.store(count);
  if (workers > 1 && (run_in_region(job) || pool().run(job))) return;
  work(job, 0);
}

}  // namespace gatework
