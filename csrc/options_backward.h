// The backward pass of a scan with something around the cell at every step; see options_forward.h.
#pragma once

#include "options.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class OptionsBackward : public BackwardScan<Cell, Exact<V>> {
  using Base = BackwardScan<Cell, Exact<V>>;
  using Gradients = WeightGradients<Exact<V>>;
  using T = typename V::T;
  using C = Columns<Cell>;
  friend Base;

 public:
  static int64_t scratch(const Layout& layout, int64_t rows) {
    return Base::scratch(layout, rows) + static_cast<int64_t>(sizeof(T)) * further_elements(layout, rows);
  }

  OptionsBackward(const BackwardArguments& arguments, int64_t first, int64_t last, void* scratch)
      : Base(arguments, first, last, scratch), options(*arguments.options) {
    const Layout& layout = arguments.layout;
    const int64_t rows = last - first;
    masked = reinterpret_cast<T*>(static_cast<char*>(scratch) + Base::scratch(layout, rows));
    carried = masked + Gradients::block_rows(feeds_of<Cell>, layout, rows) * layout.output;
    d_states = carried + rows * this->output_stride;
    d_product = d_states + Cell::normalised * layout.hidden;
    sums = d_product + C::gates * layout.hidden;
  }

  void run() {
    const int64_t gates = C::gates * this->hidden, states = Cell::normalised * this->hidden;
    each_norm([&](void* to, int64_t, int64_t count) { copy_rows<T>(static_cast<T*>(to), count, nullptr, 0, 1, count); },
              gates, states);
    this->run_steps(*this);
  }

 private:
  static int64_t further_elements(const Layout& layout, int64_t rows) {
    return Gradients::block_rows(feeds_of<Cell>, layout, rows) * layout.output +
           rows * round_up(layout.output, V::lanes) + 3 * (C::gates + Cell::normalised) * layout.hidden;
  }

  // Calls use(gradient, place in `sums`, count) for each weight of the layer norm.
  template <class Use>
  GATEWORK_INLINE void each_norm(const Use& use, int64_t gates, int64_t states) {
    if (this->p.d_gain) use(this->p.d_gain, 0, gates);
    if (this->p.d_bias) use(this->p.d_bias, gates, gates);
    if (this->p.d_state_gain) use(this->p.d_state_gain, 2 * gates, states);
    if (this->p.d_state_bias) use(this->p.d_state_bias, 2 * gates + states, states);
  }

  GATEWORK_INLINE void prepare(int64_t time) {
    for (int s = 0; s < Cell::states; ++s) after[s] = StateOptions<V>(options, s, time);
  }

  void project(const Step& step) {
    Base::project(step, [&](int64_t r, int64_t unit, V total) {
      const V past = after[0].backward(V::constant(0), total, (this->first + r) * this->output + unit);
      past.store(carried + r * this->output_stride + unit);
      return total;
    });
    copy_rows<T>(this->d_h, this->output_stride, carried, this->output_stride, step.active, this->output_stride);
  }

  void units(int64_t t, const Step& step, T* d) {
    const int64_t hidden = this->hidden, gates = C::gates * hidden, states = Cell::normalised * hidden;
    copy_rows<T>(this->d_vectors, this->stride, nullptr, 0, Cell::units, this->stride);
    if (options.is_normalised) copy_rows<T>(sums, 0, nullptr, 0, 1, 2 * (gates + states));
    for (int64_t r = 0; r < step.active; ++r) {
      const int64_t row = step.row + r;
      const T* h_previous = this->previous_h(t, r);
      this->prefetch(t, r);
      this->gradients.append(static_cast<const T*>(this->p.x) + row * this->input, seen(h_previous, r));
      T* const d_row = d + r * this->gradients.stride;
      if constexpr (Cell::normalised > 0) {
        if (options.is_normalised) backward_states(row, r, h_previous);
      }
      for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
        Base::template cell<true>(row, r, unit, h_previous, d_row + unit,
                                  [&](const V* saved, const V* previous, const V* next, const V* vectors, V* d_next,
                                      V* d_accumulator, V* d_previous, V* d_vector) GATEWORK_INLINED {
                                    derive(row, r, unit, saved, previous, next, vectors, d_next, d_accumulator,
                                           d_previous, d_vector);
                                  });
      }
      if (options.is_normalised) products(row, d_row);
    }
    if (this->p.d_unit) this->add_vectors();
    // Sums of sums lose fewer digits than one long sum.
    each_norm(
        [&](void* to, int64_t place, int64_t count) {
          for (int64_t k = 0; k < count; ++k) static_cast<T*>(to)[k] += sums[place + k];
        },
        gates, states);
  }

  // The h that the recurrent product saw, where the weights' gradients will read it.
  GATEWORK_INLINE const T* seen(const T* h, int64_t r) {
    if (!options.mask) return h;
    const T* mask = static_cast<const T*>(options.mask) + (this->first + r) * this->output;
    T* to = masked + this->gradients.rows() * this->output;
    mask_row<V>(h, mask, to, this->output);
    return to;
  }

  // The derivatives of the carried states become those of the cell's own; returns what goes past the cell.
  GATEWORK_INLINE void pass(int64_t row, int64_t r, int64_t unit, V* d_next, V* past) const {
    const int64_t element = (this->first + r) * this->hidden + unit;
    for (int s = 0; s < Cell::states; ++s) {
      if (s == 0 && this->p.weights.projection) {
        past[s] = V::constant(0);  // project() has dealt with it
        continue;
      }
      V next = V::constant(0);
      if (after[s].reads_new) {
        const T* plane = static_cast<const T*>(this->p.planes.next[s]) + row * this->hidden + unit;
        next = load_units<V>(plane, this->hidden - unit);
      }
      past[s] = after[s].backward(next, d_next[s], element);
    }
  }

  GATEWORK_INLINE void derive(int64_t row, int64_t r, int64_t unit, const V* saved, const V* previous, const V* next,
                              const V* vectors, V* d_next, V* d_accumulator, V* d_previous, V* d_vector) {
    V past[Cell::states];
    pass(row, r, unit, d_next, past);
    if constexpr (Cell::normalised > 0) {
      V d_inner[Cell::normalised];
      for (int n = 0; n < Cell::normalised; ++n) {
        d_inner[n] = load_units<V>(d_states + n * this->hidden + unit, this->hidden - unit);
      }
      Cell::template backward<V>(saved, previous, next, vectors, d_next, d_inner, d_accumulator, d_previous, d_vector);
    } else {
      Cell::template backward<V>(saved, previous, next, vectors, d_next, d_accumulator, d_previous, d_vector);
    }
    for (int s = 0; s < Cell::states; ++s) d_previous[s] = d_previous[s] + past[s];
  }

  // What the states that are normalised within the step receive through their norm, into d_states.
  GATEWORK_INLINE void backward_states(int64_t row, int64_t r, const T* h_previous) {
    const int64_t hidden = this->hidden, gates = C::gates * hidden, states = Cell::normalised * hidden;
    const T* normalised = static_cast<const T*>(options.normalised_state) + row * states;
    const T* scale = static_cast<const T*>(options.scale) + row * (1 + Cell::normalised) + 1;
    for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
      const int64_t count = hidden - unit;
      this->read(row, r, unit, h_previous,
                 [&](const V* saved, const V* previous, const V* next, const V* vectors, V* d_next) GATEWORK_INLINED {
                   V past[Cell::states], d_normalised[Cell::normalised];
                   pass(row, r, unit, d_next, past);
                   Cell::template backward_normalised<V>(saved, previous, next, vectors, d_next, d_normalised);
                   for (int n = 0; n < Cell::normalised; ++n) {
                     const int64_t at = n * hidden + unit;
                     T* const d_gain = sums + 2 * gates;
                     const V value = load_units<V>(normalised + at, count);
                     const V d_value = scaled_backward(value, d_normalised[n], options.state_gain, d_gain,
                                                       d_gain + states, at, count);
                     store_units(d_value, d_states + at, count);
                   }
                 });
    }
    for (int n = 0; n < Cell::normalised; ++n) {
      LayerNorm::backward<V>(d_states + n * hidden, normalised + n * hidden, scale[n], hidden);
    }
  }

  // From the derivatives of a row's accumulators, in place, to those of its plain recurrent product; those of the input
  // product go to d_x.
  GATEWORK_INLINE void products(int64_t row, T* d) {
    const int64_t hidden = this->hidden, gates = C::gates * hidden;
    const T* normalised = static_cast<const T*>(options.normalised_product) + row * gates;
    T* d_x = this->p.d_x ? static_cast<T*>(this->p.d_x) + row * C::inputs * hidden : nullptr;
    for (int a = 0; a < C::accumulators; ++a) {
      T* const from = d + a * hidden;
      if (d_x && Cell::input_product[a]) {
        copy_rows<T>(d_x + C::count(Cell::input_product, a) * hidden, hidden, from, hidden, 1, hidden);
      }
      if (!Cell::recurrent_product[a]) continue;
      const int64_t place = C::count(Cell::recurrent_product, a) * hidden;
      for (int64_t k = 0; k < hidden; k += V::lanes) {
        const int64_t at = place + k, count = hidden - k;
        const V value = load_units<V>(normalised + at, count), d_value = load_units<V>(from + k, count);
        store_units(scaled_backward(value, d_value, options.gain, sums, sums + gates, at, count), d_product + at,
                    count);
      }
    }
    if (C::gates == 0) return;
    const T scale = static_cast<const T*>(options.scale)[row * (1 + Cell::normalised)];
    LayerNorm::backward<V>(d_product, normalised, scale, gates);
    for (int a = 0; a < C::accumulators; ++a) {
      if (!Cell::recurrent_product[a]) continue;
      copy_rows<T>(d + a * hidden, hidden, d_product + C::count(Cell::recurrent_product, a) * hidden, hidden, 1,
                   hidden);
    }
  }

  void recur(const Step& step, const T* d) {
    Base::recur(step, d, !options.mask, options.mask ? carried : this->d_h);
    if (options.mask) unmask(step);
    if (this->p.d_x && !options.is_normalised) this->reach_x(step, d);
  }

  // Adds to what the previous h receives what the h under a mask does.
  void unmask(const Step& step) {
    const int64_t output = this->output;
    for (int64_t r = 0; r < step.active; ++r) {
      const T* mask = static_cast<const T*>(options.mask) + (this->first + r) * output;
      for (int64_t unit = 0; unit < output; unit += V::lanes) {
        const int64_t at = r * this->output_stride + unit;
        const V d_seen = BeforeStep::backward(load_units<V>(mask + unit, output - unit), V::load(carried + at));
        (V::load(this->d_h + at) + d_seen).store(this->d_h + at);
      }
    }
  }

  const StepOptions& options;
  T* masked;     // the h that the recurrent product saw, a row for each of the block of gradients
  T* carried;    // what goes past a projection, and what the h under a mask receives
  T* d_states;   // what the normalised states receive through their norm, of one row
  T* d_product;  // the derivative of the recurrent product of one row
  T* sums;       // what the weights of the layer norm receive from one step
  StateOptions<V> after[Cell::states];
};

}  // namespace gatework::GATEWORK_ISA
