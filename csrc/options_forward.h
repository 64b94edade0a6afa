// The forward pass of a scan with something around the cell at every step: a mask on the h that the recurrent product
// sees, layer norm, clipping, zoneout. The loop over time and the products are those of scan_forward.h.
#pragma once

#include "options_cell.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class OptionsForward : public ForwardScan<Cell, Exact<V>> {
  using Base = ForwardScan<Cell, Exact<V>>;
  using T = typename V::T;
  using C = Columns<Cell>;
  friend Base;

 public:
  static int64_t scratch(const Layout& layout, int64_t rows) {
    const int64_t seen = rows * round_up(layout.output, V::lanes);
    const int64_t sums = rows * C::gates * layout.hidden + Cell::normalised * layout.hidden;
    return Base::scratch(layout, rows) + static_cast<int64_t>(sizeof(T)) * (seen + sums);
  }

  OptionsForward(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch)
      : Base(arguments, first, last, scratch),
        options(*arguments.options),
        around(options, arguments.layout.hidden, arguments.weights.projection != nullptr) {
    const int64_t rows = last - first;
    masked = reinterpret_cast<T*>(static_cast<char*>(scratch) + Base::scratch(arguments.layout, rows));
    unsaved_sums = masked + rows * this->output_stride;
    unsaved_states = unsaved_sums + rows * C::gates * this->hidden;
  }

  void run() { this->run_steps(*this); }

 private:
  GATEWORK_INLINE void prepare(int64_t time, const Step& step) {
    around.start(time);
    this->seen = this->h_now;
    if (!options.mask) return;
    for (int64_t r = 0; r < step.active; ++r) {
      const T* mask = static_cast<const T*>(options.mask) + (this->first + r) * this->output;
      const int64_t at = r * this->output_stride;
      mask_row<V>(this->h_now + at, mask, masked + at, this->output);
    }
    this->seen = masked;
  }

  void units(const Step& step) {
    if (options.is_normalised) {
      normalised_units(step);
      return;
    }
    if constexpr (Cell::normalised == 0) {
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
    T* const sums =
        options.normalised_product ? static_cast<T*>(options.normalised_product) + step.row * width : unsaved_sums;
    if (C::gates > 0) recurrent_products(step, sums);
    for (int64_t r = 0; r < step.active; ++r) {
      const int64_t row = step.row + r;
      const T* const product = static_cast<const T*>(this->p.x) + row * C::inputs * hidden;
      T* const normalised = sums + r * width;
      T* const scale = options.scale ? static_cast<T*>(options.scale) + row * (1 + Cell::normalised) : nullptr;
      if (C::gates > 0) {
        const T inverse = LayerNorm::forward<V>(normalised, width);
        if (scale) scale[0] = inverse;
      }
      T* const states = options.normalised_state
                            ? static_cast<T*>(options.normalised_state) + row * Cell::normalised * hidden
                            : unsaved_states;
      around.normalise_states(product, normalised, this->p.weights.unit, states, scale ? scale + 1 : nullptr,
                              [&](int64_t unit, V* previous)
                                  GATEWORK_INLINED { this->load_previous(r, unit, previous); });
      for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
        V accumulator[C::accumulators];
        around.accumulate(product, normalised, unit, accumulator);
        cell(row, r, unit, accumulator, states);
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
      panel += Base::Panels::panel_elements(feeds_of<Cell>, this->input, this->output, count);
    }
  }

  // Which gate of the recurrent product lies at a column of a tile.
  static constexpr int gate_at(int column) {
    for (int a = 0; a < C::accumulators; ++a) {
      if (Cell::recurrent_product[a] && C::of(a) - C::first_gate == column) return C::count(Cell::recurrent_product, a);
    }
    return 0;
  }

  // One step of some units; `normalised` has the row's normalised states.
  GATEWORK_INLINE void cell(int64_t row, int64_t r, int64_t unit, const V* accumulator, const T* normalised) {
    V carried[Cell::states];
    Base::cell(row, r, unit, accumulator,
               [&](const V* a, const V* previous, const V* vectors, V* next, V* saved, V* trace) GATEWORK_INLINED {
                 around.advance(this->first + r, unit, normalised, a, previous, vectors, next, saved, trace, carried);
                 return static_cast<const V*>(carried);
               });
  }

  void project(const Step& step) {
    Base::project(step);
    if (!around.after[0].is_on) return;
    const int64_t output = this->output;
    for (int64_t r = 0; r < step.active; ++r) {
      T* const out = static_cast<T*>(this->p.output) + (step.row + r) * output;
      for (int64_t unit = 0; unit < output; unit += V::lanes) {
        const int64_t at = r * this->output_stride + unit;
        const V previous = V::load(this->h_now + at), projected = V::load(this->h_next + at);
        const V carried = around.after[0].forward(previous, projected, (this->first + r) * output + unit);
        carried.store(this->h_next + at);
        store_units(carried, out + unit, output - unit);
      }
    }
  }

  const StepOptions& options;
  OptionsCell<Cell, V> around;
  T *masked, *unsaved_sums, *unsaved_states;
};

}  // namespace gatework::GATEWORK_ISA
