// clang-format off
// LSTM with peepholes (Gers & Schmidhuber 2000).
// Generated from src/gatework/cells by `make cells`: change step(), not this file.
struct peephole {
  static constexpr int accumulators = 4;
  static constexpr int states = 2;
  static constexpr int saved = 5;
  static constexpr int traced = 6;
  static constexpr int units = 3;
  static constexpr int normalised = 0;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[4] = {true, true, true, true};
  static constexpr bool recurrent_product[4] = {true, true, true, true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[2] = {false, true};
  static constexpr bool reads_next[2] = {false, true};
  // By state: whether it reaches its next value other than through the recurrent product.
  static constexpr bool carries[2] = {false, true};
  // What `trace` holds, in order.
  static constexpr const char* names[6] = {"i", "f", "g", "o", "c", "h"};
  // By state: its place in `trace`.
  static constexpr int traced_state[2] = {5, 4};

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, V* next, [[maybe_unused]] V* saved, V* trace) {
    const V a_i = accumulator[0];
    const V p_i = unit[0];
    const V c_previous = previous[1];
    const V a_f = accumulator[1];
    const V p_f = unit[1];
    const V a_g = accumulator[2];
    const V a_o = accumulator[3];
    const V p_o = unit[2];
    const V t8 = p_i * c_previous;                                      // i = sigmoid(a_i + p_i * c)
    const V t9 = a_i + t8;                                              // i = sigmoid(a_i + p_i * c)
    const V i = sigmoid(t9);                                            // i = sigmoid(a_i + p_i * c)
    const V t11 = p_f * c_previous;                                     // f = sigmoid(a_f + p_f * c)
    const V t12 = a_f + t11;                                            // f = sigmoid(a_f + p_f * c)
    const V f = sigmoid(t12);                                           // f = sigmoid(a_f + p_f * c)
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V t15 = f * c_previous;                                       // c = f * c + i * g
    const V t16 = i * g;                                                // c = f * c + i * g
    const V c = t15 + t16;                                              // c = f * c + i * g
    const V t18 = p_o * c;                                              // o = sigmoid(a_o + p_o * c)
    const V t19 = a_o + t18;                                            // o = sigmoid(a_o + p_o * c)
    const V o = sigmoid(t19);                                           // o = sigmoid(a_o + p_o * c)
    const V t21 = tanh(c);                                              // h = o * tanh(c)
    const V h = o * t21;                                                // h = o * tanh(c)
    next[0] = h;
    next[1] = c;
    saved[0] = i;
    saved[1] = f;
    saved[2] = g;
    saved[3] = o;
    saved[4] = t21;
    trace[0] = i;
    trace[1] = f;
    trace[2] = g;
    trace[3] = o;
    trace[4] = c;
    trace[5] = h;
  }

  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                       [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit, const V* d_next,
                                       V* d_accumulator, V* d_previous, [[maybe_unused]] V* d_unit) {
    const V i = saved[0];                                               // i = sigmoid(a_i + p_i * c)
    const V f = saved[1];                                               // f = sigmoid(a_f + p_f * c)
    const V g = saved[2];                                               // g = tanh(a_g)
    const V o = saved[3];                                               // o = sigmoid(a_o + p_o * c)
    const V saved_4 = saved[4];                                         // h = o * tanh(c)
    const V c = next[1];
    const V d_c = d_next[1];
    const V d_h = d_next[0];
    const V p_o = unit[2];
    const V p_f = unit[1];
    const V c_previous = previous[1];
    const V p_i = unit[0];
    const V t12 = d_h * o;                                              // h = o * tanh(c)
    const V t14 = saved_4 * saved_4;                                    // h = o * tanh(c)
    const V t15 = V::constant(1.0) - t14;                               // h = o * tanh(c)
    const V t16 = t12 * t15;                                            // h = o * tanh(c)
    const V t17 = d_c + t16;                                            // h = o * tanh(c)
    const V t18 = d_h * saved_4;                                        // h = o * tanh(c)
    const V t19 = V::constant(1.0) - o;                                 // o = sigmoid(a_o + p_o * c)
    const V t20 = o * t19;                                              // o = sigmoid(a_o + p_o * c)
    const V t21 = t18 * t20;                                            // o = sigmoid(a_o + p_o * c)
    const V t22 = t21 * p_o;                                            // o = sigmoid(a_o + p_o * c)
    const V t23 = t17 + t22;                                            // o = sigmoid(a_o + p_o * c)
    const V t24 = t23 * g;                                              // c = f * c + i * g
    const V t25 = V::constant(1.0) - i;                                 // i = sigmoid(a_i + p_i * c)
    const V t26 = i * t25;                                              // i = sigmoid(a_i + p_i * c)
    const V t27 = t24 * t26;                                            // i = sigmoid(a_i + p_i * c)
    const V t28 = t23 * c_previous;                                     // c = f * c + i * g
    const V t29 = V::constant(1.0) - f;                                 // f = sigmoid(a_f + p_f * c)
    const V t30 = f * t29;                                              // f = sigmoid(a_f + p_f * c)
    const V t31 = t28 * t30;                                            // f = sigmoid(a_f + p_f * c)
    const V t32 = t23 * i;                                              // c = f * c + i * g
    const V t33 = g * g;                                                // g = tanh(a_g)
    const V t34 = V::constant(1.0) - t33;                               // g = tanh(a_g)
    const V t35 = t32 * t34;                                            // g = tanh(a_g)
    const V t37 = t23 * f;                                              // c = f * c + i * g
    const V t38 = t31 * p_f;                                            // f = sigmoid(a_f + p_f * c)
    const V t39 = t37 + t38;                                            // f = sigmoid(a_f + p_f * c)
    const V t40 = t27 * p_i;                                            // i = sigmoid(a_i + p_i * c)
    const V t41 = t39 + t40;                                            // i = sigmoid(a_i + p_i * c)
    const V t42 = t27 * c_previous;                                     // i = sigmoid(a_i + p_i * c)
    const V t43 = t31 * c_previous;                                     // f = sigmoid(a_f + p_f * c)
    const V t44 = t21 * c;                                              // o = sigmoid(a_o + p_o * c)
    d_accumulator[0] = t27;
    d_accumulator[1] = t31;
    d_accumulator[2] = t35;
    d_accumulator[3] = t21;
    d_previous[0] = V::constant(0.0);
    d_previous[1] = t41;
    d_unit[0] = t42;
    d_unit[1] = t43;
    d_unit[2] = t44;
  }
};

// The same under layer norm.
struct peephole_normalised {
  static constexpr int accumulators = 4;
  static constexpr int states = 2;
  static constexpr int saved = 5;
  static constexpr int traced = 6;
  static constexpr int units = 3;
  static constexpr int normalised = 1;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[4] = {true, true, true, true};
  static constexpr bool recurrent_product[4] = {true, true, true, true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[2] = {false, true};
  static constexpr bool reads_next[2] = {false, true};
  // By state: whether it reaches its next value other than through the recurrent product.
  static constexpr bool carries[2] = {false, true};
  // What `trace` holds, in order.
  static constexpr const char* names[6] = {"i", "f", "g", "o", "c", "h"};
  // By state: its place in `trace`.
  static constexpr int traced_state[2] = {5, 4};
  // The states that are normalised.
  static constexpr int normalised_state[1] = {1};

  // The states before their norm; the step itself takes the norm's result.
  template <class V>
  GATEWORK_INLINE static void inner(const V* accumulator, [[maybe_unused]] const V* previous,
                                    [[maybe_unused]] const V* unit, V* inner) {
    const V a_f = accumulator[1];
    const V p_f = unit[1];
    const V c_previous = previous[1];
    const V a_i = accumulator[0];
    const V p_i = unit[0];
    const V a_g = accumulator[2];
    const V t6 = p_f * c_previous;                                      // f = sigmoid(a_f + p_f * c)
    const V t7 = a_f + t6;                                              // f = sigmoid(a_f + p_f * c)
    const V f = sigmoid(t7);                                            // f = sigmoid(a_f + p_f * c)
    const V t9 = f * c_previous;                                        // c = f * c + i * g
    const V t10 = p_i * c_previous;                                     // i = sigmoid(a_i + p_i * c)
    const V t11 = a_i + t10;                                            // i = sigmoid(a_i + p_i * c)
    const V i = sigmoid(t11);                                           // i = sigmoid(a_i + p_i * c)
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V t14 = i * g;                                                // c = f * c + i * g
    const V c = t9 + t14;                                               // c = f * c + i * g
    inner[0] = c;
  }

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, const V* normalised, V* next,
                                      [[maybe_unused]] V* saved, V* trace) {
    const V a_i = accumulator[0];
    const V p_i = unit[0];
    const V c_previous = previous[1];
    const V a_f = accumulator[1];
    const V p_f = unit[1];
    const V a_g = accumulator[2];
    const V a_o = accumulator[3];
    const V p_o = unit[2];
    const V normalised_c = normalised[0];
    const V t9 = p_i * c_previous;                                      // i = sigmoid(a_i + p_i * c)
    const V t10 = a_i + t9;                                             // i = sigmoid(a_i + p_i * c)
    const V i = sigmoid(t10);                                           // i = sigmoid(a_i + p_i * c)
    const V t12 = p_f * c_previous;                                     // f = sigmoid(a_f + p_f * c)
    const V t13 = a_f + t12;                                            // f = sigmoid(a_f + p_f * c)
    const V f = sigmoid(t13);                                           // f = sigmoid(a_f + p_f * c)
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V t16 = f * c_previous;                                       // c = f * c + i * g
    const V t17 = i * g;                                                // c = f * c + i * g
    const V c = t16 + t17;                                              // c = f * c + i * g
    const V t19 = p_o * c;                                              // o = sigmoid(a_o + p_o * c)
    const V t20 = a_o + t19;                                            // o = sigmoid(a_o + p_o * c)
    const V o = sigmoid(t20);                                           // o = sigmoid(a_o + p_o * c)
    const V t22 = tanh(normalised_c);                                   // h = o * tanh(c)
    const V h = o * t22;                                                // h = o * tanh(c)
    next[0] = h;
    next[1] = c;
    saved[0] = i;
    saved[1] = f;
    saved[2] = g;
    saved[3] = o;
    saved[4] = t22;
    trace[0] = i;
    trace[1] = f;
    trace[2] = g;
    trace[3] = o;
    trace[4] = c;
    trace[5] = h;
  }

  // What the norms' results receive; what they pass on comes back as d_inner.
  template <class V>
  GATEWORK_INLINE static void backward_normalised([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                                  [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit,
                                                  const V* d_next, V* d_normalised) {
    const V o = saved[3];                                               // o = sigmoid(a_o + p_o * c)
    const V saved_4 = saved[4];                                         // h = o * tanh(c)
    const V d_h = d_next[0];
    const V t3 = d_h * o;                                               // h = o * tanh(c)
    const V t5 = saved_4 * saved_4;                                     // h = o * tanh(c)
    const V t6 = V::constant(1.0) - t5;                                 // h = o * tanh(c)
    const V t7 = t3 * t6;                                               // h = o * tanh(c)
    d_normalised[0] = t7;
  }

  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                       [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit, const V* d_next,
                                       const V* d_inner, V* d_accumulator, V* d_previous, [[maybe_unused]] V* d_unit) {
    const V i = saved[0];                                               // i = sigmoid(a_i + p_i * c)
    const V f = saved[1];                                               // f = sigmoid(a_f + p_f * c)
    const V g = saved[2];                                               // g = tanh(a_g)
    const V o = saved[3];                                               // o = sigmoid(a_o + p_o * c)
    const V saved_4 = saved[4];                                         // h = o * tanh(c)
    const V c = next[1];
    const V d_c = d_next[1];
    const V d_inner_c = d_inner[0];
    const V d_h = d_next[0];
    const V p_o = unit[2];
    const V p_f = unit[1];
    const V c_previous = previous[1];
    const V p_i = unit[0];
    const V t13 = d_c + d_inner_c;
    const V t14 = d_h * saved_4;                                        // h = o * tanh(c)
    const V t16 = V::constant(1.0) - o;                                 // o = sigmoid(a_o + p_o * c)
    const V t17 = o * t16;                                              // o = sigmoid(a_o + p_o * c)
    const V t18 = t14 * t17;                                            // o = sigmoid(a_o + p_o * c)
    const V t19 = t18 * p_o;                                            // o = sigmoid(a_o + p_o * c)
    const V t20 = t13 + t19;                                            // o = sigmoid(a_o + p_o * c)
    const V t21 = t20 * g;                                              // c = f * c + i * g
    const V t22 = V::constant(1.0) - i;                                 // i = sigmoid(a_i + p_i * c)
    const V t23 = i * t22;                                              // i = sigmoid(a_i + p_i * c)
    const V t24 = t21 * t23;                                            // i = sigmoid(a_i + p_i * c)
    const V t25 = t20 * c_previous;                                     // c = f * c + i * g
    const V t26 = V::constant(1.0) - f;                                 // f = sigmoid(a_f + p_f * c)
    const V t27 = f * t26;                                              // f = sigmoid(a_f + p_f * c)
    const V t28 = t25 * t27;                                            // f = sigmoid(a_f + p_f * c)
    const V t29 = t20 * i;                                              // c = f * c + i * g
    const V t30 = g * g;                                                // g = tanh(a_g)
    const V t31 = V::constant(1.0) - t30;                               // g = tanh(a_g)
    const V t32 = t29 * t31;                                            // g = tanh(a_g)
    const V t34 = t20 * f;                                              // c = f * c + i * g
    const V t35 = t28 * p_f;                                            // f = sigmoid(a_f + p_f * c)
    const V t36 = t34 + t35;                                            // f = sigmoid(a_f + p_f * c)
    const V t37 = t24 * p_i;                                            // i = sigmoid(a_i + p_i * c)
    const V t38 = t36 + t37;                                            // i = sigmoid(a_i + p_i * c)
    const V t39 = t24 * c_previous;                                     // i = sigmoid(a_i + p_i * c)
    const V t40 = t28 * c_previous;                                     // f = sigmoid(a_f + p_f * c)
    const V t41 = t18 * c;                                              // o = sigmoid(a_o + p_o * c)
    d_accumulator[0] = t24;
    d_accumulator[1] = t28;
    d_accumulator[2] = t32;
    d_accumulator[3] = t18;
    d_previous[0] = V::constant(0.0);
    d_previous[1] = t38;
    d_unit[0] = t39;
    d_unit[1] = t40;
    d_unit[2] = t41;
  }
};
