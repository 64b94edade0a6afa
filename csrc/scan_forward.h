// The forward pass of the scan; scan.h has the contract.
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

// The panels [first, last).
struct Range {
  int64_t first, last;
};

// The input products of some steps of a single sequence, (rows, hidden in whole vectors, accumulators), made or in the
// making; the row of the first one.
template <class O>
struct InputSums {
  using V = typename O::V;
  using T = typename O::T;
  using Element = typename O::Element;
  T* sums;
  int64_t first_row, rows;

  // Makes those of some panels.
  GATEWORK_CALLED void read(const Feeds& feeds, const ForwardArguments& p, Range panels) const;

  // Sets them to the biases, to which parts of the products are added.
  GATEWORK_CALLED void start(const Feeds& feeds, const ForwardArguments& p) const;

 private:
  static GATEWORK_INLINE void copy(const T* biases, int first, int last, T* to) {
    for (int a = first; a < last; ++a) V::load(biases + a * V::lanes).store(to + a * V::lanes);
  }

  // Calls use(count of blocks, panel, its place in the sums) for each of the panels.
  template <class Use>
  GATEWORK_INLINE void each_panel(const Feeds& feeds, const ForwardArguments& p, Range panels, const Use& use) const {
    const Layout& layout = p.layout;
    const int64_t blocks = round_up(layout.hidden, V::lanes) / V::lanes;
    const T* panel = static_cast<const T*>(p.panels.weights);
    for (int64_t place = 0; place < panels.last; ++place) {
      const int64_t block = place * feeds.blocks_per_panel, left = blocks - block;
      if (left <= 0) return;
      const int count = static_cast<int>(left < feeds.blocks_per_panel ? left : feeds.blocks_per_panel);
      if (place >= panels.first) use(count, panel, sums + block * V::lanes * feeds.accumulators);
      panel += ForwardPanels<O>::panel_elements(feeds, layout.input, layout.output, count);
    }
  }
};

template <class O>
void InputSums<O>::read(const Feeds& feeds, const ForwardArguments& p, Range panels) const {
  const int64_t input = p.layout.input, row_sums = feeds.accumulators * round_up(p.layout.hidden, V::lanes);
  each_panel(feeds, p, panels, [&](int count, const T* panel, T* panel_sums) {
    // What the recurrent product alone feeds starts from its biases.
    const int all = count * feeds.accumulators, columns = feeds.are_shared ? all : feeds.inputs;
    const Tiles tiles = split_rows(rows, O::tallest(columns));
    int64_t r = 0;
    for (int64_t tile = 0; tile < tiles.count; ++tile) {
      const int height = static_cast<int>(tiles.height + (tile < tiles.larger));
      const Segment<Element> x[] = {{static_cast<const Element*>(p.x) + (first_row + r) * input, input, input}};
      T* const to = panel_sums + r * row_sums;
      multiply<O>(height, columns, {panel, 0, to, row_sums, x, 1, panel + all * V::lanes});
      for (int k = 0; k < height; ++k) copy(panel, columns, all, to + k * row_sums);
      r += height;
    }
  });
}

template <class O>
void InputSums<O>::start(const Feeds& feeds, const ForwardArguments& p) const {
  const int64_t row_sums = feeds.accumulators * round_up(p.layout.hidden, V::lanes);
  each_panel(feeds, p, {0, INT64_MAX}, [&](int count, const T* panel, T* panel_sums) {
    for (int64_t r = 0; r < rows; ++r) copy(panel, 0, count * feeds.accumulators, panel_sums + r * row_sums);
  });
}

template <class Cell, class O>
class ForwardScan {
  using V = typename O::V;
  using T = typename O::T;
  using Element = typename O::Element;
  using C = Columns<Cell>;
  static constexpr int accumulators = Cell::accumulators;

 protected:
  using Panels = ForwardPanels<O>;

 public:
  static int64_t scratch(const Layout& layout, int64_t rows) {
    const int64_t hidden = round_up(layout.hidden, V::lanes), output = round_up(layout.output, V::lanes);
    const int64_t factors = O::is_rounded ? (2 * output + hidden) / O::group : 0;
    return static_cast<int64_t>(sizeof(T)) *
           (rows * (2 * output + Cell::states * hidden + factors) + (tile_vectors<O> + max_columns) * V::lanes +
            (layout.batch == 1 ? most_steps_at_once * accumulators * hidden : 0));
  }

  ForwardScan(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch)
      : p(arguments),
        input(arguments.layout.input),
        hidden(arguments.layout.hidden),
        output(arguments.layout.output),
        stride(round_up(hidden, V::lanes)),
        output_stride(round_up(output, V::lanes)),
        first(first),
        last(last) {
    const int64_t rows = last - first;
    T* memory = static_cast<T*>(scratch);
    z = memory;
    memory += tile_vectors<O> * V::lanes;
    zeros = memory;
    __builtin_memset(zeros, 0, max_columns * V::lanes * sizeof(T));
    memory += max_columns * V::lanes;
    h_now = memory;
    h_next = memory += rows * output_stride;
    memory += rows * output_stride;
    for (int s = 0; s < Cell::states; ++s) {
      state[s] = memory;
      memory += rows * stride;
    }
    place_factors(memory, rows);
    input_sums = memory + (O::is_rounded ? rows * (2 * output_stride + stride) / O::group : 0);
  }

  void run() {
    if (C::gates > 0 && p.layout.batch == 1) return run_alone();
    run_steps(*this);
  }

 protected:
  // `scan` is this one, or what acts around it.
  template <class Scan>
  GATEWORK_INLINE void run_steps(Scan& scan) {
    start();
    const Layout& layout = p.layout;
    for (int64_t k = 0; k < layout.steps; ++k) {
      const int64_t t = layout.reverse ? layout.steps - 1 - k : k;
      const Step step = step_at(layout, t, first, last);
      if (step.active == 0) continue;
      scan.prepare(k, step);
      scan.units(step);
      if (p.weights.projection) scan.project(step);
      const bool is_last = k + 1 == layout.steps;
      const int64_t go_on = is_last ? 0 : layout.reverse ? step.active : active_rows(layout, t + 1, first, last);
      if (go_on < step.active) finish(go_on, step.active);
      swap_states();
    }
  }

  // A single sequence. The input products of some steps are made at once, so that their weights are read once for all
  // of them; where registers allow it and the processor gains by it, a part of them beside each recurrent product of
  // the steps before, which waits for weights that lie far away. Every sum is made of the same terms in the same order
  // as one step after the other.
  static constexpr bool can_go_beside =
      !O::is_rounded && vector_registers == 32 && (C::are_shared || C::inputs == C::gates);
  static constexpr int64_t most_steps_at_once = 24;
  static_assert(2 * rows_beside <= most_steps_at_once, "there is room for the inputs of now and of later");

  bool goes_beside() const { return can_go_beside && p.goes_beside; }
  int64_t steps_at_once() const { return goes_beside() ? rows_beside : most_steps_at_once; }

  InputSums<O> inputs_from(int64_t k, T* sums) const {
    const int64_t left = p.layout.steps - k, most = steps_at_once(), rows = left < most ? left : most;
    return {sums, p.layout.reverse ? left - rows : k, rows};
  }

  void run_alone() {
    start();
    const int64_t steps = p.layout.steps;
    InputSums<O> now = inputs_from(0, input_sums);
    now.read(feeds_of<Cell>, p, {0, panel_count()});
    for (int64_t k = 0; k < steps; k += steps_at_once()) {
      T* const other = now.sums == input_sums ? input_sums + rows_beside * accumulators * stride : input_sums;
      const InputSums<O> later = inputs_from(k + steps_at_once(), goes_beside() ? other : input_sums);
      const bool is_beside = goes_beside() && later.rows == rows_beside;
      if (is_beside) later.start(feeds_of<Cell>, p);
      for (int64_t n = 0; n < now.rows; ++n) {
        const int64_t t = p.layout.reverse ? steps - 1 - k - n : k + n;
        seen = factors_now;
        if (is_beside) {
          if constexpr (can_go_beside)
            ForwardScan(*this).template each_unit_alone<true>(t, now, later, n, {0, panel_count()});
        } else {
          ForwardScan(*this).template each_unit_alone<false>(t, now, later, n, {0, panel_count()});
        }
        if (p.weights.projection) project({t, 1});
        if (k + n + 1 == steps) finish(0, 1);
        swap_states();
      }
      if (!is_beside && later.rows > 0) later.read(feeds_of<Cell>, p, {0, panel_count()});
      now = later;
    }
  }

  int64_t panel_count() const { return (stride / V::lanes + C::blocks_per_panel - 1) / C::blocks_per_panel; }

  // Some blocks of units, and their weights.
  struct Panel {
    int64_t block;
    int count;
    const T* weights;
  };

  GATEWORK_INLINE Panel panel_at(int64_t place) const {
    const int64_t block = place * C::blocks_per_panel, left = stride / V::lanes - block;
    return {block, static_cast<int>(left < C::blocks_per_panel ? left : C::blocks_per_panel),
            static_cast<const T*>(p.panels.weights) +
                place * Panels::panel_elements(feeds_of<Cell>, input, output, C::blocks_per_panel)};
  }

  // One step of some panels, and beside it the part of that number of the inputs of later steps. Every other step
  // begins where the one before it ended, as those weights are still near. With nothing beside them, the products of
  // its first two panels are made together: one waits for its weights, the other for its own sums. The cell's own work
  // on a panel comes after the next panel's product, which has begun to wait for its weights then.
  template <bool is_beside>
  GATEWORK_INLINE void each_unit_alone(int64_t t, const InputSums<O>& now, [[maybe_unused]] const InputSums<O>& later,
                                       [[maybe_unused]] int64_t part, Range range) {
    const int64_t begin = range.first, panels = range.last - begin;
    const auto at = [&](int64_t k) GATEWORK_INLINED { return panel_at(begin + (t % 2 ? panels - 1 - k : k)); };
    const auto sums = [&](int64_t k) GATEWORK_INLINED { return z + k % 4 * (tile_vectors<O> / 4) * V::lanes; };
    const Segment<Element> h[] = {{seen, output_stride, output}};
    const auto product = [&](int64_t k) GATEWORK_INLINED { return product_alone(at(k), t, now, h, sums(k)); };
    constexpr bool may_be_two = !O::is_rounded && !is_beside;
    const bool are_two = may_be_two && panels > 1 && at(0).count == at(1).count;
    int64_t done = 0;
    for (int64_t k = are_two; k <= panels; ++k) {
      if (are_two && k == 1) {
        if constexpr (may_be_two) multiply_both<O>(columns_of(at(0)), product(0), product(1));
        continue;
      }
      if (k < panels) {
        if constexpr (is_beside) {
          multiply_beside_alone(at(k), product(k), later, part);
        } else {
          multiply<O>(1, columns_of(at(k)), product(k));
        }
      }
      for (; done < k; ++done) cells_alone(t, at(done).block, at(done).count, sums(done));
    }
  }

  static GATEWORK_INLINE int columns_of(const Panel& panel) {
    return C::are_shared ? panel.count * accumulators : C::gates;
  }

  // The recurrent product of a panel, which starts from the input sums.
  GATEWORK_INLINE Product<O> product_alone(const Panel& panel, int64_t t, const InputSums<O>& now,
                                           const Segment<Element>* h, T* sums) const {
    const int skipped = C::are_shared ? 0 : C::first_gate;
    const T* const from =
        now.sums + (t - now.first_row) * accumulators * stride + panel.block * V::lanes * accumulators;
    for (int a = 0; a < skipped; ++a) V::load(from + a * V::lanes).store(sums + a * V::lanes);
    const T* const u = panel.weights + (accumulators + O::groups(input) * C::inputs) * panel.count * V::lanes;
    return {from + skipped * V::lanes, 0, sums + skipped * V::lanes, columns_of(panel) * V::lanes, h, 1, u};
  }

  // That product, and beside it a part of the panel's input products of later steps.
  GATEWORK_INLINE void multiply_beside_alone(const Panel& panel, const Product<O>& row, const InputSums<O>& later,
                                             int64_t part) const {
    const int64_t most = (input + rows_beside - 1) / rows_beside, k = part * most, left = input - k;
    const int64_t depth = left < 0 ? 0 : left < most ? left : most;
    const int columns = columns_of(panel);
    const Segment<Element> x[] = {{static_cast<const Element*>(p.x) + later.first_row * input + k, input, depth}};
    T* const to = later.sums + panel.block * V::lanes * accumulators;
    const T* const w = panel.weights + accumulators * panel.count * V::lanes + k * columns * V::lanes;
    multiply_beside<O>(columns, {row, {nullptr, 0, to, accumulators * stride, x, 1, w}});
  }

  GATEWORK_INLINE void cells_alone(int64_t t, int64_t block, int count, const T* sums) {
    for (int c = 0; c < count; ++c) {
      V accumulator[accumulators];
#pragma GCC unroll 8
      for (int a = 0; a < accumulators; ++a) {
        accumulator[a] = V::load(sums + (c * accumulators + C::of(a)) * V::lanes);
      }
      cell(t, 0, (block + c) * V::lanes, accumulator,
           [](const V* a, const V* previous, const V* vectors, V* next, V* saved, V* trace) GATEWORK_INLINED {
             Cell::template forward<V>(a, previous, vectors, next, saved, trace);
             return next;
           });
    }
  }

  GATEWORK_INLINE void swap_states() {
    swap(h_now, h_next);
    swap(factors_now, factors_next);
  }

  template <class Pointer>
  static GATEWORK_INLINE void swap(Pointer& a, Pointer& b) {
    const Pointer c = a;
    a = b;
    b = c;
  }

  // What the products take of h: the states themselves, or their own place where they are rounded.
  void place_factors(T* memory, int64_t rows) {
    if constexpr (O::is_rounded) {
      factors_now = reinterpret_cast<Element*>(memory);
      factors_next = factors_now + rows * output_stride;
      unprojected = factors_next + rows * output_stride;
    } else {
      factors_now = h_now;
      factors_next = h_next;
      unprojected = state[0];
    }
  }

  GATEWORK_INLINE void prepare(int64_t, const Step&) { seen = factors_now; }

  void start() {
    const int64_t rows = last - first;
    for (int s = 0; s < Cell::states; ++s) {
      const int64_t width = s == 0 ? output : hidden;
      const T* from = static_cast<const T*>(p.initial[s]) + first * width;
      T* final = static_cast<T*>(p.final[s]) + first * width;
      copy_rows<T>(final, width, from, width, rows, width);
      if (s > 0) copy_rows<T>(state[s], stride, from, width, rows, width);
      if (s == 0) copy_rows<T>(h_now, output_stride, from, width, rows, width);
      if (s == 0) copy_rows<T>(h_next, output_stride, from, width, rows, width);
    }
    if constexpr (O::is_rounded) {
      round_rows<O>(factors_now, output_stride, h_now, output_stride, rows, output);
      round_rows<O>(factors_next, output_stride, h_now, output_stride, rows, output);
    }
  }

  // The sequences [from, to) of this slice have made their last step.
  void finish(int64_t from, int64_t to) {
    copy_rows<T>(static_cast<T*>(p.final[0]) + (first + from) * output, output, h_next + from * output_stride,
                 output_stride, to - from, output);
    for (int s = 1; s < Cell::states; ++s) {
      copy_rows<T>(static_cast<T*>(p.final[s]) + (first + from) * hidden, hidden, state[s] + from * stride, stride,
                   to - from, hidden);
    }
  }

  void units(const Step& step) {
    // Nothing can point into a copy, so its members need not be read again after each store.
    ForwardScan(*this).each_unit(step);
  }

  GATEWORK_INLINE void each_unit(const Step& step) {
    each_sum(step, [&](int64_t row, int64_t r, int64_t unit, const T* sums) GATEWORK_INLINED {
      V accumulator[accumulators];
#pragma GCC unroll 8
      for (int a = 0; a < accumulators; ++a) accumulator[a] = V::load(sums + C::of(a) * V::lanes);
      cell(row, r, unit, accumulator,
           [](const V* a, const V* previous, const V* vectors, V* next, V* saved, V* trace) GATEWORK_INLINED {
             Cell::template forward<V>(a, previous, vectors, next, saved, trace);
             return next;
           });
    });
  }

  // Computes both products of a step and calls use(row, r, unit, accumulators) for each vector of units of each row.
  template <class Use>
  GATEWORK_INLINE void each_sum(const Step& step, const Use& use) {
    const int64_t blocks = stride / V::lanes;
    const T* panel = static_cast<const T*>(p.panels.weights);
    for (int64_t block = 0; block < blocks; block += C::blocks_per_panel) {
      const int64_t left = blocks - block;
      const int count = static_cast<int>(left < C::blocks_per_panel ? left : C::blocks_per_panel);
      const Tiles tiles = split_rows(step.active, O::tallest(count * (C::are_shared ? accumulators : C::widest)));
      int64_t r = 0;
      for (int64_t tile = 0; tile < tiles.count; ++tile) {
        const int height = static_cast<int>(tiles.height + (tile < tiles.larger));
        products(step.row + r, r, height, count, panel);
        for (int k = 0; k < height; ++k) {
          for (int c = 0; c < count; ++c) {
            use(step.row + r + k, r + k, (block + c) * V::lanes, z + (k * count + c) * accumulators * V::lanes);
          }
        }
        r += height;
      }
      panel += Panels::panel_elements(feeds_of<Cell>, input, output, count);
    }
  }

  // Both products of a tile of rows with a panel, and the biases.
  GATEWORK_INLINE void products(int64_t row, int64_t r, int height, int count, const T* panel) {
    const int64_t z_stride = count * accumulators * V::lanes;
    const Segment<Element> segments[] = {{static_cast<const Element*>(p.x) + row * input, input, input},
                                         {seen + r * output_stride, output_stride, output}};
    const T* w = panel + z_stride;
    if (C::are_shared) {
      multiply<O>(height, count * accumulators, {panel, 0, z, z_stride, segments, C::gates > 0 ? 2 : 1, w});
      return;
    }
    for (int k = 0; k < height; ++k) {
      for (int a = 0; a < accumulators; ++a) V::load(panel + a * V::lanes).store(z + k * z_stride + a * V::lanes);
    }
    T* z_gates = z + C::first_gate * V::lanes;
    multiply<O>(height, C::inputs, {z, z_stride, z, z_stride, segments, 1, w});
    w += O::groups(input) * C::inputs * V::lanes;
    if (C::gates > 0) multiply<O>(height, C::gates, {z_gates, z_stride, z_gates, z_stride, segments + 1, 1, w});
  }

  // The states of a row's units from `unit` on before the step. A projected h is none of them.
  GATEWORK_INLINE void load_previous(int64_t r, int64_t unit, V* previous) const {
    previous[0] = p.weights.projection ? V::constant(0) : V::load(h_now + r * output_stride + unit);
    for (int s = 1; s < Cell::states; ++s) previous[s] = V::load(state[s] + r * stride + unit);
  }

  // One step of one row's units from `unit` on. `advance` computes it and gives the states that are carried on.
  template <class Advance>
  GATEWORK_INLINE void cell(int64_t row, int64_t r, int64_t unit, const V* accumulator, const Advance& advance) {
    const int64_t count = hidden - unit;
    V previous[Cell::states], next[Cell::states], saved[Cell::saved + 1], trace[Cell::traced];
    V vectors[Cell::units + 1];
    load_vectors<Cell>(p.weights.unit, hidden, unit, vectors);
    load_previous(r, unit, previous);
#pragma GCC unroll 4
    for (int s = 1; s < Cell::states; ++s) {
      if (p.planes.previous[s])
        store_units(previous[s], static_cast<T*>(p.planes.previous[s]) + row * hidden + unit, count);
    }
    const V* carried = advance(accumulator, previous, vectors, next, saved, trace);
    if (p.weights.projection) {
      O::store(next[0], unprojected + r * stride + unit);
    } else {
      carried[0].store(h_next + r * output_stride + unit);
      if (O::is_rounded) O::store(carried[0], factors_next + r * output_stride + unit);
      O::store(carried[0], static_cast<Element*>(p.output) + row * hidden + unit, count);
    }
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) {
      if (s > 0) carried[s].store(state[s] + r * stride + unit);
      if (p.planes.next[s]) store_units(next[s], static_cast<T*>(p.planes.next[s]) + row * hidden + unit, count);
    }
    if (Cell::saved > 0 && p.planes.values) {
      T* to = static_cast<T*>(p.planes.values) + row * Cell::saved * hidden + unit;
#pragma GCC unroll 16
      for (int k = 0; k < Cell::saved; ++k) store_units(saved[k], to + k * hidden, count);
    }
    for (int k = 0; k < Cell::traced; ++k) {
      if (p.trace[k]) store_units(trace[k], static_cast<T*>(p.trace[k]) + row * hidden + unit, count);
    }
  }

  void project(const Step& step) {
    multiply_rows<O>(step.active, output, O::groups(hidden), static_cast<const T*>(p.panels.projection), zeros, 0, z,
                     {{{unprojected, stride, hidden}}, 1},
                     {h_next, factors_next, output_stride, static_cast<Element*>(p.output) + step.row * output});
  }

  const ForwardArguments p;
  const int64_t input, hidden, output, stride, output_stride, first, last;
  T *z, *zeros, *h_now, *h_next, *input_sums;
  const Element* seen;                  // the h that the recurrent product sees
  T* state[Cell::states];               // state[0] is h before its projection
  Element *factors_now, *factors_next;  // h as a factor
  Element* unprojected;                 // h before its projection as a factor
};

}  // namespace gatework::GATEWORK_ISA
