// The logarithm of a sum of which the terms' logarithms are known.
#pragma once

#include <cmath>
#include <limits>
#include <utility>

namespace gatework::decoding {

template <class T>
T log_add(T a, T b) {
  if (a < b) std::swap(a, b);
  return b == -std::numeric_limits<T>::infinity() ? a : a + std::log1p(std::exp(b - a));
}

}  // namespace gatework::decoding
