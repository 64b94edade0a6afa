#include "partner.h"

#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "threads.h"

namespace gatework {
namespace {

int64_t wait(const std::atomic<int64_t>& counter, int64_t at_least, int64_t microseconds) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point end{};
  for (;;) {
    for (int k = 0; k < 16; ++k) {
      const int64_t count = counter.load(std::memory_order_acquire);
      if (count >= at_least || count < 0) return count;
      pause();
    }
    const Clock::time_point now = Clock::now();
    if (end == Clock::time_point{}) end = now + std::chrono::microseconds(microseconds);
    if (now > end) return counter.load(std::memory_order_acquire);
  }
}

// Where a thread may run that is to run beside this one: where this one may, but not where it is now. A thread that is
// woken on a busy machine is often put in the place of the one that wakes it, which then waits for it in vain.
class Beside {
 public:
  void keep([[maybe_unused]] std::thread::native_handle_type thread) {
#if defined(__linux__)
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof(processors), &processors) != 0) return;
    const int own = sched_getcpu();
    if (own < 0) return;
    CPU_CLR(own, &processors);
    if (CPU_COUNT(&processors) == 0 || CPU_EQUAL(&processors, &now_)) return;
    if (pthread_setaffinity_np(thread, sizeof(processors), &processors) == 0) now_ = processors;
#endif
  }

 private:
#if defined(__linux__)
  cpu_set_t now_{};
#endif
};

// The thread, which sleeps between errands.
class Partner {
 public:
  bool is_free() {
    if (is_busy_.load(std::memory_order_acquire)) return false;
    const int64_t left = spared_.load(std::memory_order_relaxed);
    if (left == 0) return true;
    spared_.store(left - 1, std::memory_order_relaxed);
    return false;
  }

  void send(std::shared_ptr<Errand> errand) {
    if (is_busy_.exchange(true, std::memory_order_acquire)) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!thread_.joinable()) {
        try {
          thread_ = std::thread([this] { serve(); });
        } catch (const std::system_error&) {  // no threads are left: it stays busy, and nobody asks again
          return;
        }
      }
      beside_.keep(thread_.native_handle());
      errand_ = std::move(errand);
    }
    wake_.notify_one();
  }

  void judge(bool has_failed) {
    const int64_t before = most_spared_.load(std::memory_order_relaxed);
    const int64_t most = !has_failed ? before / 2 : before == 0 ? 1 : before < 64 ? 2 * before : before;
    most_spared_.store(most, std::memory_order_relaxed);
    spared_.store(most, std::memory_order_relaxed);
  }

 private:
  void serve() {
    for (;;) {
      std::shared_ptr<Errand> errand;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return errand_ != nullptr; });
        errand = std::move(errand_);
      }
      int64_t away = -1;
      if (errand->exchange.made.compare_exchange_strong(away, 0)) {
        parallel(1, [&](int64_t) { errand->run(); });
      }
      errand.reset();
      is_busy_.store(false, std::memory_order_release);
    }
  }

  std::atomic<bool> is_busy_{false};
  std::atomic<int64_t> spared_{0}, most_spared_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<Errand> errand_;
  std::thread thread_;  // never joined: a partner is never destroyed
  Beside beside_;
};

std::atomic<Partner*> current{nullptr};
std::atomic<int64_t> done{0};

// A forked process has none of its parent's threads: it starts a partner of its own.
[[maybe_unused]] void forget_partner() { current.store(nullptr); }

#if !defined(_WIN32)
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, forget_partner);
#endif

// Null where there is no memory. It lives as long as the process: its thread may outlast static objects.
Partner* partner() {
  Partner* found = current.load(std::memory_order_acquire);
  if (found) return found;
  Partner* const fresh = new (std::nothrow) Partner;
  if (fresh && current.compare_exchange_strong(found, fresh)) return fresh;
  delete fresh;
  return found;
}

}  // namespace

Errand::Errand() { exchange.wait = wait; }

bool is_partner_free() {
  Partner* const found = partner();
  return found && found->is_free();
}

void send_partner(std::shared_ptr<Errand> errand) {
  if (Partner* const found = partner()) found->send(std::move(errand));
}

void end_errand(Errand& errand) {
  Exchange& exchange = errand.exchange;
  const bool was_left = exchange.made.exchange(Exchange::is_left, std::memory_order_acq_rel) == Exchange::is_left;
  exchange.given.store(Exchange::is_over, std::memory_order_release);
  if (exchange.was_shared) done.fetch_add(1, std::memory_order_relaxed);
  if (Partner* const found = partner()) found->judge(was_left || !exchange.was_shared);
}

int64_t errands_done() { return done.load(std::memory_order_relaxed); }

}  // namespace gatework
