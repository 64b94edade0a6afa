// Memory that a call works in, aligned for every vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace gatework {

// Scratch memory for `count` tasks at once, freed at the end.
class Scratch {
 public:
  Scratch(int64_t bytes_each, int64_t count) : each_((bytes_each + alignment - 1) / alignment * alignment + alignment) {
    const auto bytes = static_cast<size_t>(each_ * count + alignment);
    memory_ = ::operator new(bytes, std::align_val_t{alignment}, std::nothrow);
  }
  ~Scratch() { ::operator delete(memory_, std::align_val_t{alignment}); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  bool is_missing() const { return memory_ == nullptr; }
  void* operator[](int64_t k) const { return static_cast<char*>(memory_) + k * each_; }

 private:
  static constexpr int64_t alignment = 64;
  const int64_t each_;
  void* memory_ = nullptr;
};

}  // namespace gatework
