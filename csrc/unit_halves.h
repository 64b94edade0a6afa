// The scan of a single sequence by two threads: each computes half of the units of every step, in whole panels of
// weights, and hands its h to the other. partner.h says why the caller never depends on its partner.
//
// Every number is made by the same operations in the same order as by one thread. The partner works in
// Exchange::memory alone, on copies of x and of the learnt vectors; of the weights it reads the panels.
#pragma once

#include "exchange.h"
#include "scan_forward.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class O>
class UnitHalves : ForwardScan<Cell, O> {
  using Base = ForwardScan<Cell, O>;
  using V = typename O::V;
  using T = typename O::T;
  using C = Columns<Cell>;
  static constexpr int64_t most_steps = Base::most_steps_at_once;

 public:
  // Whether a cell's scans can be shared at all.
  static constexpr bool is_possible = C::gates > 0 && !O::is_rounded;

  // The bytes of Exchange::memory; 0 where the units are too few for two.
  static int64_t bytes(const Layout& layout) {
    const int64_t width = round_up(layout.hidden, V::lanes);
    if (width <= C::blocks_per_panel * V::lanes) return 0;
    const int64_t messages = (3 * Cell::states + 2) * width + most_steps * (layout.input + layout.hidden) +
                             Cell::units * layout.hidden + 8 * Messages::multiple;
    return static_cast<int64_t>(sizeof(T)) * messages + Base::scratch(layout, 1);
  }

  // The caller's side: the whole scan.
  static void run(const ForwardArguments& arguments, void* scratch) { UnitHalves(arguments, scratch).run(); }

  // The partner's side, for all layers of the call: returns when it is over, the partner has been left or has waited
  // too long.
  static void assist(const ForwardArguments* layers, Exchange& exchange) {
    for (int64_t made = 0; made >= 0 && is_given(exchange, made);) {
      const ForwardArguments& layer = layers[exchange.layer];
      const Messages messages(layer.layout, exchange.memory);
      ForwardArguments own{};
      own.layout = layer.layout;
      own.layout.steps = exchange.steps;
      own.panels = layer.panels;
      own.weights.unit = messages.unit;
      own.x = messages.x;
      own.output = messages.output;
      own.exchange = &exchange;
      made = UnitHalves(own, messages.end).run_piece(made);
    }
  }

 private:
  using Base::h_next, Base::h_now, Base::hidden, Base::input, Base::input_sums, Base::p, Base::state, Base::stride;

  // What lies in Exchange::memory. Messages of steps take turns between two places: neither thread is more than one
  // step ahead of what the other has read.
  struct Messages {
    T *states, *x, *unit;       // where a piece begins: all states of all units, its rows of x, the learnt vectors
    T *caller[2], *partner[2];  // of one step: the caller's half of h; the partner's half of each state
    T *output, *end;            // what the partner's kernel writes and nobody reads; its scratch memory
    static constexpr int64_t multiple = 64;

    Messages(const Layout& layout, void* memory) {
      T* next = static_cast<T*>(memory);
      const auto take = [&](int64_t count) {
        T* const place = next;
        next += round_up(count, multiple);
        return place;
      };
      const int64_t width = round_up(layout.hidden, V::lanes);
      states = take(Cell::states * width);
      x = take(most_steps * layout.input);
      unit = take(Cell::units * layout.hidden);
      for (T*& place : caller) place = take(width);
      for (T*& place : partner) place = take(Cell::states * width);
      output = take(most_steps * layout.hidden);
      end = next;
    }
  };

  UnitHalves(const ForwardArguments& arguments, void* scratch)
      : Base(arguments, 0, 1, scratch),
        messages(arguments.layout, arguments.exchange->memory),
        exchange(*arguments.exchange),
        panels(Base::panel_count()),
        panels_here((panels + 1) / 2),
        units_here(panels_here * C::blocks_per_panel * V::lanes) {}

  static void copy(T* to, const T* from, int64_t count) { copy_rows<T>(to, count, from, count, 1, count); }

  // The partner's half of the units.
  void copy_there(T* to, const T* from) const { copy(to + units_here, from + units_here, stride - units_here); }

  // The place of the first row of the steps from `n` on, and the row of step `n`, among `rows` steps.
  int64_t first_of(int64_t n) const { return p.layout.reverse ? 0 : n; }
  int64_t row_of(int64_t n, int64_t rows) const { return p.layout.reverse ? rows - 1 - n : n; }

  void run() {
    this->start();
    const int64_t steps = p.layout.steps;
    for (int64_t k = 0; k < steps; k += most_steps) {
      const int64_t rows = steps - k < most_steps ? steps - k : most_steps;
      const InputSums<O> now = {input_sums, p.layout.reverse ? steps - k - rows : k, rows};
      begin_piece(now, 0);
      now.read(feeds_of<Cell>, p, {0, is_shared ? panels_here : panels});
      for (int64_t n = 0; n < rows; ++n) {
        if (!is_shared) begin_piece(now, n);
        step(now, n);
        if (k + n + 1 == steps) this->finish(0, 1);
        this->swap_states();
      }
    }
  }

  // Where the partner is there, the steps from `n` on are shared.
  void begin_piece(const InputSums<O>& now, int64_t n) {
    if (exchange.made.load(std::memory_order_acquire) < 0) return;
    is_shared = true;
    first_message = count = exchange.given.load(std::memory_order_relaxed);
    exchange.steps = now.rows - n;
    exchange.layer = p.layer;
    for (int s = 0; s < Cell::states; ++s) copy(messages.states + s * stride, s ? state[s] : h_now, stride);
    const T* const x = static_cast<const T*>(p.x) + (now.first_row + first_of(n)) * input;
    copy(messages.x, x, exchange.steps * input);
    if (Cell::units) copy(messages.unit, static_cast<const T*>(p.weights.unit), Cell::units * hidden);
    exchange.given.store(count + 1, std::memory_order_release);
  }

  void step(const InputSums<O>& now, int64_t n) {
    const int64_t t = now.first_row + row_of(n, now.rows);
    units(t, now, {0, is_shared ? panels_here : panels});
    if (!is_shared) return;
    const int64_t wanted = count + 1;
    const bool is_last = n + 1 == now.rows;
    if (!is_last) {
      copy(messages.caller[wanted % 2], h_next, units_here);
      exchange.given.store(wanted + 1, std::memory_order_release);
    }
    // Before its first step the partner has read its weights and its inputs of the whole piece.
    const int64_t patience = count == first_message ? 4 * exchange.patience : exchange.patience;
    int64_t made = exchange.wait(exchange.made, wanted, patience);
    const bool is_left = made < wanted;
    if (is_left) made = leave_partner();
    const bool is_made = made >= wanted;
    const T* const from = messages.partner[(is_made ? wanted : count) % 2];
    if (is_made) {
      exchange.was_shared = true;
      copy_there(h_next, from);
      copy(static_cast<T*>(p.output) + t * hidden + units_here, h_next + units_here, hidden - units_here);
    }
    if (is_last || is_left) {
      const T* const states = !is_made && count == first_message ? messages.states : from;
      for (int s = 1; s < Cell::states; ++s) copy_there(state[s], states + s * stride);
      is_shared = false;
    }
    if (is_left && !(is_made && is_last)) now.read(feeds_of<Cell>, p, {panels_here, panels});
    if (!is_made) units(t, now, {panels_here, panels});
    count = wanted;
  }

  // From now on the caller is alone. Gives the steps that the partner has handed over.
  int64_t leave_partner() {
    const int64_t made = exchange.made.exchange(Exchange::is_left, std::memory_order_acq_rel);
    return made < 0 ? -1 - made : made;
  }

  // The steps that the partner has made then, after `before`; negative when it was left or is not there any more.
  int64_t run_piece(int64_t before) {
    const int64_t rows = p.layout.steps;
    const InputSums<O> now = {input_sums, 0, rows};
    count = before;
    for (int s = 0; s < Cell::states; ++s) copy(s ? state[s] : h_now, messages.states + s * stride, stride);
    now.read(feeds_of<Cell>, p, {panels_here, panels});
    for (int64_t n = 0; n < rows; ++n) {
      if (n > 0) {
        if (!is_given(exchange, count)) return -1;
        copy(h_now, messages.caller[count % 2], units_here);
      }
      units(row_of(n, rows), now, {panels_here, panels});
      T* const to = messages.partner[(count + 1) % 2];
      for (int s = 0; s < Cell::states; ++s) copy_there(to + s * stride, s ? state[s] : h_next);
      int64_t expected = count++;
      if (!exchange.made.compare_exchange_strong(expected, count, std::memory_order_acq_rel)) return -1;
      this->swap_states();
    }
    return count;
  }

  // The partner, which has made `count` steps, waits for the next message. Where none comes it is not there any more.
  static bool is_given(Exchange& exchange, int64_t count) {
    const bool goes_away = count == exchange.leaves_after;
    const int64_t given = goes_away ? count : exchange.wait(exchange.given, count + 1, 8 * exchange.patience);
    if (given == Exchange::is_over) return false;
    if (given > count) return true;
    int64_t expected = count;
    exchange.made.compare_exchange_strong(expected, -1 - count, std::memory_order_acq_rel);
    return false;
  }

  // A step's panels of that range.
  void units(int64_t t, const InputSums<O>& now, Range range) {
    this->seen = this->factors_now;
    UnitHalves(*this).template each_unit_alone<false>(t, now, now, 0, range);
  }

  const Messages messages;
  Exchange& exchange;
  const int64_t panels, panels_here, units_here;
  bool is_shared = false;
  int64_t first_message = 0, count = 0;  // of the piece; the partner's steps that were taken, or its own
};

}  // namespace gatework::GATEWORK_ISA
