// The backward pass of the scan; scan.h has the contract.
#pragma once

#include "scan.h"
#include "weight_gradients.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class O>
class BackwardScan {
  using V = typename O::V;
  using T = typename O::T;
  using Element = typename O::Element;
  using C = Columns<Cell>;
  using Gradients = WeightGradients<O>;
  static constexpr int accumulators = Cell::accumulators;

 public:
  static int64_t scratch(const Layout& layout, int64_t rows) {
    return static_cast<int64_t>(sizeof(T)) * own_elements(layout, rows) +
           Gradients::scratch(feeds_of<Cell>, layout, rows);
  }

  BackwardScan(const BackwardArguments& arguments, int64_t first, int64_t last, void* scratch)
      : p(arguments),
        input(arguments.layout.input),
        hidden(arguments.layout.hidden),
        output(arguments.layout.output),
        stride(round_up(hidden, V::lanes)),
        output_stride(round_up(output, V::lanes)),
        first(first),
        last(last),
        gradients(feeds_of<Cell>, arguments, last - first,
                  static_cast<T*>(scratch) + own_elements(arguments.layout, last - first)) {
    const int64_t rows = last - first;
    T* memory = static_cast<T*>(scratch);
    z = memory;
    memory += tile_vectors<O> * V::lanes;
    zeros = memory;
    __builtin_memset(zeros, 0, max_columns * V::lanes * sizeof(T));
    memory += max_columns * V::lanes;
    d_h = memory;
    memory += rows * output_stride;
    d_vectors = memory;
    memory += Cell::units * stride;
    for (int s = 0; s < Cell::states; ++s) {
      d_state[s] = memory;
      memory += rows * stride;
    }
    place_initial(memory);
  }

  void run() { run_steps(*this); }

 protected:
  // `scan` is this one, or what acts around it.
  template <class Scan>
  GATEWORK_INLINE void run_steps(Scan& scan) {
    start();
    const Layout& layout = p.layout;
    for (int64_t k = 0; k < layout.steps; ++k) {
      const int64_t t = layout.reverse ? k : layout.steps - 1 - k;
      const Step step = step_at(layout, t, first, last);
      if (step.active == 0) continue;
      scan.prepare(layout.steps - 1 - k);
      if (p.weights.projection) scan.project(step);
      Element* const d = gradients.reserve(step.active);
      scan.units(t, step, d);
      scan.recur(step, d);
    }
    gradients.flush();
    for (int s = 0; s < Cell::states; ++s) {
      if (!p.d_initial[s]) continue;
      const int64_t width = s == 0 ? output : hidden;
      copy_rows<T>(static_cast<T*>(p.d_initial[s]) + first * width, width, s == 0 ? d_h : d_state[s],
                   s == 0 ? output_stride : stride, last - first, width);
    }
  }

  GATEWORK_INLINE void prepare(int64_t) {}

  static int64_t own_elements(const Layout& layout, int64_t rows) {
    const int64_t hidden = round_up(layout.hidden, V::lanes), output = round_up(layout.output, V::lanes);
    const int64_t factors = O::is_rounded ? output / O::group : 0;
    return rows * (output + Cell::states * hidden + factors) + Cell::units * hidden +
           (tile_vectors<O> + max_columns) * V::lanes;
  }

  // The initial h as the products saw it.
  void place_initial(T* memory) {
    const T* from = static_cast<const T*>(p.initial[0]) + first * output;
    if constexpr (O::is_rounded) {
      auto* to = reinterpret_cast<Element*>(memory);
      round_rows<O>(to, output, from, output, last - first, output);
      initial = to;
    } else {
      initial = from;
    }
  }

  void start() {
    for (int s = 0; s < Cell::states; ++s) {
      const int64_t width = s == 0 ? output : hidden;
      const T* from = p.d_final[s] ? static_cast<const T*>(p.d_final[s]) + first * width : nullptr;
      copy_rows<T>(s == 0 ? d_h : d_state[s], s == 0 ? output_stride : stride, from, width, last - first, width);
    }
    if (p.d_unit) copy_rows<T>(static_cast<T*>(p.d_unit), hidden, nullptr, 0, Cell::units, hidden);
  }

  // From the derivative of the projected h to that of h before its projection, which is d_state[0].
  void project(const Step& step) {
    project(step, [](int64_t, int64_t, V total) { return total; });
  }

  // `passed(row, unit, total)` takes off what does not go through the projection.
  template <class Passed>
  GATEWORK_INLINE void project(const Step& step, const Passed& passed) {
    for (int64_t r = 0; r < step.active; ++r) {
      const int64_t at = (step.row + r) * output;
      for (int64_t unit = 0; unit < output; unit += V::lanes) {
        V total = V::load(d_h + r * output_stride + unit);
        if (p.d_output) {
          total = total + O::load(static_cast<const Element*>(p.d_output) + at + unit, output - unit);
        }
        total = passed(r, unit, total);
        O::store(total, static_cast<Element*>(p.d_projected) + at + unit, output - unit);
      }
    }
    const Element* d = static_cast<const Element*>(p.d_projected) + step.row * output;
    multiply_rows<O>(step.active, hidden, O::groups(output), static_cast<const T*>(p.panels.projection), zeros, 0, z,
                     {{{d, output, output}}, 1}, {d_state[0], nullptr, stride, nullptr});
  }

  // The elementwise part of a step; `d` receives the derivatives of the accumulators.
  void units(int64_t t, const Step& step, Element* d) {
    copy_rows<T>(d_vectors, stride, nullptr, 0, Cell::units, stride);
    for (int64_t r = 0; r < step.active; ++r) {
      const Element* h_previous = previous_h(t, r);
      prefetch(t, r);
      gradients.append(static_cast<const Element*>(p.x) + (step.row + r) * input, h_previous);
      for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
        cell<Cell::carries[0]>(step.row + r, r, unit, h_previous, d + r * gradients.stride + unit,
                               [](const V* saved, const V* previous, const V* next, const V* vectors, const V* d_next,
                                  V* d_accumulator, V* d_previous, V* d_vector) GATEWORK_INLINED {
                                 Cell::template backward<V>(saved, previous, next, vectors, d_next, d_accumulator,
                                                            d_previous, d_vector);
                               });
      }
    }
    if (p.d_unit) add_vectors();
  }

  // Adds what the learnt vectors receive from one step: sums of sums lose fewer digits than one long sum.
  GATEWORK_INLINE void add_vectors() {
    for (int k = 0; k < Cell::units; ++k) {
      T* to = static_cast<T*>(p.d_unit) + k * hidden;
      const T* from = d_vectors + k * stride;
      for (int64_t unit = 0; unit < hidden; ++unit) to[unit] += from[unit];
    }
  }

  // What the recurrent product saw at step t: the output of the step before, or the initial state.
  GATEWORK_INLINE const Element* previous_h(int64_t t, int64_t r) const {
    const Layout& layout = p.layout;
    const int64_t before = layout.reverse ? t + 1 : t - 1;
    if (before >= 0 && before < layout.steps) {
      const Step step = step_at(layout, before, first, last);
      if (r < step.active) return static_cast<const Element*>(p.output) + (step.row + r) * output;
    }
    return initial + r * output;
  }

  // Asks for what the next step of the pass reads of a sequence, which lies where no hardware expects it.
  GATEWORK_INLINE void prefetch(int64_t t, int64_t r) const {
    const Layout& layout = p.layout;
    const int64_t before = layout.reverse ? t + 1 : t - 1;
    if (before < 0 || before >= layout.steps) return;
    const Step step = step_at(layout, before, first, last);
    if (r >= step.active) return;
    prefetch_row<T>(p.planes.values, step.row + r, Cell::saved * hidden);
    if (p.d_output) prefetch_row<Element>(p.d_output, step.row + r, output);
#pragma GCC unroll 4
    for (int s = 1; s < Cell::states; ++s) {
      if (Cell::reads_previous[s]) prefetch_row<T>(p.planes.previous[s], step.row + r, hidden);
      if (Cell::reads_next[s]) prefetch_row<T>(p.planes.next[s], step.row + r, hidden);
    }
  }

  template <class Number>
  static GATEWORK_INLINE void prefetch_row(const void* values, int64_t row, int64_t width) {
    const int64_t bytes = width * static_cast<int64_t>(sizeof(Number));
    const char* from = static_cast<const char*>(values) + row * bytes;
    for (int64_t k = 0; k < bytes; k += 64) __builtin_prefetch(from + k, 0, 2);
  }

  // Calls use(saved, previous, next, learnt vectors, d_next) with what the backward step of one row's units from `unit`
  // on reads.
  template <class Use>
  GATEWORK_INLINE void read(int64_t row, int64_t r, int64_t unit, const Element* h_previous, const Use& use) {
    const int64_t count = hidden - unit;
    V saved[Cell::saved + 1], previous[Cell::states], next[Cell::states], d_next[Cell::states],
        vectors[Cell::units + 1];
    load_vectors<Cell>(p.weights.unit, hidden, unit, vectors);
    const T* from = static_cast<const T*>(p.planes.values) + row * Cell::saved * hidden + unit;
#pragma GCC unroll 16
    for (int k = 0; k < Cell::saved; ++k) saved[k] = load_units<V>(from + k * hidden, count);
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) {
      if (Cell::reads_previous[s]) {
        previous[s] = s == 0 ? O::load(h_previous + unit, count)
                             : load_units<V>(static_cast<const T*>(p.planes.previous[s]) + row * hidden + unit, count);
      }
      if (Cell::reads_next[s]) {
        const void* source = O::is_rounded || p.planes.next[s] ? p.planes.next[s] : p.output;
        next[s] = load_units<V>(static_cast<const T*>(source) + row * hidden + unit, count);
      }
      d_next[s] =
          V::load(s == 0 && !p.weights.projection ? d_h + r * output_stride + unit : d_state[s] + r * stride + unit);
    }
    if (p.d_output && !p.weights.projection) {
      d_next[0] = d_next[0] + O::load(static_cast<const Element*>(p.d_output) + row * hidden + unit, count);
    }
    use(saved, previous, next, vectors, d_next);
  }

  // The elementwise part for one row's units from `unit` on. `derive` computes it; where `carries_h`, what it gives for
  // the previous h other than through the recurrent product goes to d_h.
  template <bool carries_h, class Derive>
  GATEWORK_INLINE void cell(int64_t row, int64_t r, int64_t unit, const Element* h_previous, Element* d,
                            const Derive& derive) {
    const int64_t count = hidden - unit, plane = Gradients::plane(p.layout);
    V d_accumulator[accumulators], d_previous[Cell::states], d_vector[Cell::units + 1];
    read(row, r, unit, h_previous,
         [&](const V* saved, const V* previous, const V* next, const V* vectors, V* d_next)
             GATEWORK_INLINED { derive(saved, previous, next, vectors, d_next, d_accumulator, d_previous, d_vector); });
    for (int k = 0; k < Cell::units; ++k) {
      T* to = d_vectors + k * stride + unit;
      (V::load(to) + d_vector[k]).store(to);
    }
#pragma GCC unroll 8
    for (int a = 0; a < accumulators; ++a) O::store(d_accumulator[a], d + a * plane, count);
    if (O::is_rounded && plane > hidden && count <= V::lanes) {
      for (int a = 0; a < accumulators; ++a) {
        for (int64_t k = count; k < plane - unit; ++k) d[a * plane + k] = Element{};
      }
    }
    if (carries_h && !p.weights.projection) d_previous[0].store(d_h + r * output_stride + unit);
#pragma GCC unroll 4
    for (int s = 1; s < Cell::states; ++s) d_previous[s].store(d_state[s] + r * stride + unit);
  }

  // The accumulators that a product feeds.
  GATEWORK_INLINE Segments<Element> planes(const bool* feeds, const Element* d) const {
    const int64_t plane = Gradients::plane(p.layout);
    Segments<Element> segments{};
    for (int begin = 0; begin < accumulators;) {
      int end = begin;
      while (end < accumulators && feeds[end]) ++end;
      if (end > begin) {
        segments.list[segments.count++] = {d + begin * plane, gradients.stride, (end - begin) * plane};
      }
      begin = end + 1;
    }
    return segments;
  }

  // Adds what reaches the previous h through the recurrent product, and gives what reaches x.
  void recur(const Step& step, const Element* d) {
    recur(step, d, Cell::carries[0], d_h);
    if (p.d_x) reach_x(step, d);
  }

  // What the recurrent product's h receives, on top of d_h or of 0.
  void recur(const Step& step, const Element* d, bool adds, T* to) {
    multiply_rows<O>(step.active, output, C::gates * O::groups(hidden), static_cast<const T*>(p.panels.weights),
                     adds ? d_h : zeros, adds ? output_stride : 0, z, planes(Cell::recurrent_product, d),
                     {to, nullptr, output_stride, nullptr});
  }

  void reach_x(const Step& step, const Element* d) {
    const T* panels = static_cast<const T*>(p.panels.weights) + C::gates * O::groups(hidden) * output_stride;
    multiply_rows<O>(step.active, input, C::inputs * O::groups(hidden), panels, zeros, 0, z,
                     planes(Cell::input_product, d),
                     {nullptr, nullptr, 0, static_cast<Element*>(p.d_x) + step.row * input});
  }

  const BackwardArguments& p;
  const int64_t input, hidden, output, stride, output_stride, first, last;
  T *z, *zeros, *d_h;
  T* d_vectors;  // what the learnt vectors receive from one step, (units, stride)
  const Element* initial;
  Gradients gradients;
  T* d_state[Cell::states];  // d_state[0] is the derivative of h before its projection
};

}  // namespace gatework::GATEWORK_ISA
