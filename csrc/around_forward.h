// The forward pass of a scan with something around the cell at every step: a mask on the h that the recurrent product
// sees, layer norm, clipping, zoneout. The loop over time and the products are those of scan_forward.h.
#pragma once

#include "around.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class AroundForward : public ForwardScan<Cell, Exact<V>> {
  using Base = ForwardScan<Cell, Exact<V>>;
  using T = typename V::T;
  using C = Columns<Cell>;
  friend Base;

 public:
  static int64_t scratch(const Layout& layout, int64_t rows) {
    const int64_t seen = rows * round_up(layout.output, V::lanes);
    const int64_t sums = rows * C::gates * layout.hidden + Cell::normals * layout.hidden;
    return Base::scratch(layout, rows) + static_cast<int64_t>(sizeof(T)) * (seen + sums);
  }

  AroundForward(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch)
      : Base(arguments, first, last, scratch), around(*arguments.around) {
    const int64_t rows = last - first;
    masked = reinterpret_cast<T*>(static_cast<char*>(scratch) + Base::scratch(arguments.layout, rows));
    own_sums = masked + rows * this->output_stride;
    own_states = own_sums + rows * C::gates * this->hidden;
  }

  void run() { this->run_steps(*this); }

 private:
  GATEWORK_INLINE void prepare(int64_t time, const Step& step) {
    for (int s = 0; s < Cell::states; ++s) zone[s] = Zone<V>(around, s, time);
    this->seen = this->h_now;
    if (!around.mask) return;
    for (int64_t r = 0; r < step.active; ++r) {
      const T* mask = static_cast<const T*>(around.mask) + (this->first + r) * this->output;
      const T* from = this->h_now + r * this->output_stride;
      T* to = masked + r * this->output_stride;
      for (int64_t k = 0; k < this->output; ++k) to[k] = from[k] * mask[k];
    }
    this->seen = masked;
  }

  void units(const Step& step) {
    if (around.is_normalised) {
      normalised_units(step);
      return;
    }
    if constexpr (Cell::normals == 0) {
      this->each_sum(step, [&](int64_t row, int64_t r, int64_t unit, const T* sums) GATEWORK_INLINED {
        V accumulator[C::accumulators];
#pragma GCC unroll 8
        for (int a = 0; a < C::accumulators; ++a) accumulator[a] = V::load(sums + C::of(a) * V::lanes);
        cell(row, r, unit, accumulator, nullptr);
      });
    }
  }

  // A step under layer norm: x has the normalised input product, and no unit can go on before the recurrent product of
  // all gates is there.
  void normalised_units(const Step& step) {
    const int64_t hidden = this->hidden, width = C::gates * hidden;
    T* const sums = around.normal ? static_cast<T*>(around.normal) + step.row * width : own_sums;
    if (C::gates > 0) recurrent_products(step, sums);
    for (int64_t r = 0; r < step.active; ++r) {
      const int64_t row = step.row + r;
      T* const own = sums + r * width;
      T* const scale = around.scale ? static_cast<T*>(around.scale) + row * (1 + Cell::normals) : nullptr;
      if (C::gates > 0) {
        const T found = normalise<V>(own, width);
        if (scale) scale[0] = found;
      }
      T* const states =
          around.normal_state ? static_cast<T*>(around.normal_state) + row * Cell::normals * hidden : own_states;
      if constexpr (Cell::normals > 0) normalise_states(row, r, own, states, scale);
      for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
        V accumulator[C::accumulators];
        accumulate(row, unit, own, accumulator);
        cell(row, r, unit, accumulator, states + unit);
      }
    }
  }

  // The recurrent product of a step, (rows, gates * hidden), without a bias.
  void recurrent_products(const Step& step, T* sums) {
    const int64_t blocks = this->stride / V::lanes, hidden = this->hidden;
    const T* panel = static_cast<const T*>(this->p.panels.weights);
    for (int64_t block = 0; block < blocks; block += C::blocks_per_panel) {
      const int64_t left = blocks - block;
      const int count = static_cast<int>(left < C::blocks_per_panel ? left : C::blocks_per_panel);
      const int columns = count * C::gates;
      const T* u = panel + count * C::accumulators * V::lanes + this->input * count * C::inputs * V::lanes;
      const Tiles tiles = split_rows(step.active, tallest(columns));
      int64_t r = 0;
      for (int64_t tile = 0; tile < tiles.count; ++tile) {
        const int height = static_cast<int>(tiles.height + (tile < tiles.larger));
        const Segment<T> segment{this->seen + r * this->output_stride, this->output_stride, this->output};
        multiply<Exact<V>>(height, columns, {this->zeros, 0, this->z, columns * V::lanes, &segment, 1, u});
        for (int k = 0; k < height; ++k) {
          for (int c = 0; c < columns; ++c) {
            const int64_t unit = (block + c / C::gates) * V::lanes;
            T* to = sums + (r + k) * C::gates * hidden + gate_at(c % C::gates) * hidden + unit;
            store_units(V::load(this->z + (k * columns + c) * V::lanes), to, hidden - unit);
          }
        }
        r += height;
      }
      panel += Base::Panels::panel_elements(this->input, this->output, count);
    }
  }

  // Which gate of the recurrent product lies at a column of a tile.
  static constexpr int gate_at(int column) {
    for (int a = 0; a < C::accumulators; ++a) {
      if (Cell::recurrent_product[a] && C::of(a) - C::first_gate == column) return C::count(Cell::recurrent_product, a);
    }
    return 0;
  }

  // The accumulators of some units: the input product, and the normalised recurrent one with its gain and bias.
  GATEWORK_INLINE void accumulate(int64_t row, int64_t unit, const T* normal, V* accumulator) const {
    const int64_t hidden = this->hidden, count = hidden - unit;
    const T* product = static_cast<const T*>(this->p.x) + row * C::inputs * hidden + unit;
    for (int a = 0; a < C::accumulators; ++a) {
      V sum = V::constant(0);
      if (Cell::input_product[a]) sum = load_units<V>(product + C::count(Cell::input_product, a) * hidden, count);
      if (Cell::recurrent_product[a]) {
        const int64_t at = C::count(Cell::recurrent_product, a) * hidden + unit;
        const V gain = load_units<V>(static_cast<const T*>(around.gain) + at, count);
        sum = sum + load_units<V>(normal + at, count) * gain;
        if (around.bias) sum = sum + load_units<V>(static_cast<const T*>(around.bias) + at, count);
      }
      accumulator[a] = sum;
    }
  }

  // The states that stand in a tanh, normalised over the units of a row, (normals, hidden).
  GATEWORK_INLINE void normalise_states(int64_t row, int64_t r, const T* normal, T* states, T* scale) {
    const int64_t hidden = this->hidden;
    for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
      V accumulator[C::accumulators], previous[Cell::states], vectors[Cell::units + 1], inner[Cell::normals];
      accumulate(row, unit, normal, accumulator);
      load_vectors<Cell>(this->p.weights.unit, hidden, unit, vectors);
      previous[0] = this->p.weights.projection ? V::constant(0) : V::load(this->h_now + r * this->output_stride + unit);
      for (int s = 1; s < Cell::states; ++s) previous[s] = V::load(this->state[s] + r * this->stride + unit);
      Cell::template inner<V>(accumulator, previous, vectors, inner);
      for (int n = 0; n < Cell::normals; ++n) store_units(inner[n], states + n * hidden + unit, hidden - unit);
    }
    for (int n = 0; n < Cell::normals; ++n) {
      const T found = normalise<V>(states + n * hidden, hidden);
      if (scale) scale[1 + n] = found;
    }
  }

  // One step of some units; `normal` has their normalised states.
  GATEWORK_INLINE void cell(int64_t row, int64_t r, int64_t unit, const V* accumulator,
                            [[maybe_unused]] const T* normal) {
    const int64_t count = this->hidden - unit, sequence = this->first + r;
    V carried[Cell::states];
    Base::cell(row, r, unit, accumulator,
               [&](const V* a, const V* previous, const V* vectors, V* next, V* kept, V* named) GATEWORK_INLINED {
                 if constexpr (Cell::normals > 0) {
                   V normals[Cell::normals];
                   for (int n = 0; n < Cell::normals; ++n) {
                     const int64_t at = n * this->hidden + unit;
                     normals[n] = load_units<V>(normal + n * this->hidden, count) *
                                      load_units<V>(static_cast<const T*>(around.state_gain) + at, count) +
                                  load_units<V>(static_cast<const T*>(around.state_bias) + at, count);
                   }
                   Cell::template forward<V>(a, previous, vectors, normals, next, kept, named);
                 } else {
                   Cell::template forward<V>(a, previous, vectors, next, kept, named);
                 }
                 for (int s = 0; s < Cell::states; ++s) {
                   carried[s] = next[s];
                   if (s == 0 && this->p.weights.projection) continue;
                   if (s == around.clipped) {
                     const V limit = V::constant(around.clip);
                     carried[s] = next[s].at_most(limit).at_least(-limit);
                   }
                   carried[s] = zone[s].mixed(previous[s], carried[s], sequence * this->hidden + unit);
                   named[Cell::named_state[s]] = carried[s];
                 }
                 return static_cast<const V*>(carried);
               });
  }

  void project(const Step& step) {
    Base::project(step, [&](int64_t r, int64_t unit, V sum) {
      const V previous = V::load(this->h_now + r * this->output_stride + unit);
      return zone[0].mixed(previous, sum, (this->first + r) * this->output + unit);
    });
  }

  const Around& around;
  T *masked, *own_sums, *own_states;
  Zone<V> zone[Cell::states];
};

}  // namespace gatework::GATEWORK_ISA
