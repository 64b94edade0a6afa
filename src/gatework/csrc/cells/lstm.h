// clang-format off
// LSTM (Hochreiter & Schmidhuber 1997).
// Generated from src/gatework/cells by `make cells`: change step(), not this file.
struct lstm {
  static constexpr int accumulators = 4;
  static constexpr int states = 2;
  static constexpr int saved = 5;
  static constexpr int traced = 6;
  static constexpr int units = 0;
  static constexpr int normalised = 0;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[4] = {true, true, true, true};
  static constexpr bool recurrent_product[4] = {true, true, true, true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[2] = {false, true};
  static constexpr bool reads_next[2] = {false, false};
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
    const V a_f = accumulator[1];
    const V a_g = accumulator[2];
    const V a_o = accumulator[3];
    const V c_previous = previous[1];
    const V i = sigmoid(a_i);                                           // i = sigmoid(a_i)
    const V f = sigmoid(a_f);                                           // f = sigmoid(a_f)
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V o = sigmoid(a_o);                                           // o = sigmoid(a_o)
    const V t9 = f * c_previous;                                        // c = f * c + i * g
    const V t10 = i * g;                                                // c = f * c + i * g
    const V c = t9 + t10;                                               // c = f * c + i * g
    const V t12 = tanh(c);                                              // h = o * tanh(c)
    const V h = o * t12;                                                // h = o * tanh(c)
    next[0] = h;
    next[1] = c;
    saved[0] = i;
    saved[1] = f;
    saved[2] = g;
    saved[3] = o;
    saved[4] = t12;
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
    const V i = saved[0];                                               // i = sigmoid(a_i)
    const V f = saved[1];                                               // f = sigmoid(a_f)
    const V g = saved[2];                                               // g = tanh(a_g)
    const V o = saved[3];                                               // o = sigmoid(a_o)
    const V saved_4 = saved[4];                                         // h = o * tanh(c)
    const V d_c = d_next[1];
    const V d_h = d_next[0];
    const V c_previous = previous[1];
    const V t8 = d_h * o;                                               // h = o * tanh(c)
    const V t10 = saved_4 * saved_4;                                    // h = o * tanh(c)
    const V t11 = V::constant(1.0) - t10;                               // h = o * tanh(c)
    const V t12 = t8 * t11;                                             // h = o * tanh(c)
    const V t13 = d_c + t12;                                            // h = o * tanh(c)
    const V t14 = t13 * g;                                              // c = f * c + i * g
    const V t15 = V::constant(1.0) - i;                                 // i = sigmoid(a_i)
    const V t16 = i * t15;                                              // i = sigmoid(a_i)
    const V t17 = t14 * t16;                                            // i = sigmoid(a_i)
    const V t18 = t13 * c_previous;                                     // c = f * c + i * g
    const V t19 = V::constant(1.0) - f;                                 // f = sigmoid(a_f)
    const V t20 = f * t19;                                              // f = sigmoid(a_f)
    const V t21 = t18 * t20;                                            // f = sigmoid(a_f)
    const V t22 = t13 * i;                                              // c = f * c + i * g
    const V t23 = g * g;                                                // g = tanh(a_g)
    const V t24 = V::constant(1.0) - t23;                               // g = tanh(a_g)
    const V t25 = t22 * t24;                                            // g = tanh(a_g)
    const V t26 = d_h * saved_4;                                        // h = o * tanh(c)
    const V t27 = V::constant(1.0) - o;                                 // o = sigmoid(a_o)
    const V t28 = o * t27;                                              // o = sigmoid(a_o)
    const V t29 = t26 * t28;                                            // o = sigmoid(a_o)
    const V t31 = t13 * f;                                              // c = f * c + i * g
    d_accumulator[0] = t17;
    d_accumulator[1] = t21;
    d_accumulator[2] = t25;
    d_accumulator[3] = t29;
    d_previous[0] = V::constant(0.0);
    d_previous[1] = t31;
  }
};

// The same under layer norm.
struct lstm_normalised {
  static constexpr int accumulators = 4;
  static constexpr int states = 2;
  static constexpr int saved = 5;
  static constexpr int traced = 6;
  static constexpr int units = 0;
  static constexpr int normalised = 1;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[4] = {true, true, true, true};
  static constexpr bool recurrent_product[4] = {true, true, true, true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[2] = {false, true};
  static constexpr bool reads_next[2] = {false, false};
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
    const V c_previous = previous[1];
    const V a_i = accumulator[0];
    const V a_g = accumulator[2];
    const V f = sigmoid(a_f);                                           // f = sigmoid(a_f)
    const V t5 = f * c_previous;                                        // c = f * c + i * g
    const V i = sigmoid(a_i);                                           // i = sigmoid(a_i)
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V t8 = i * g;                                                 // c = f * c + i * g
    const V c = t5 + t8;                                                // c = f * c + i * g
    inner[0] = c;
  }

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, const V* normalised, V* next,
                                      [[maybe_unused]] V* saved, V* trace) {
    const V a_i = accumulator[0];
    const V a_f = accumulator[1];
    const V a_g = accumulator[2];
    const V a_o = accumulator[3];
    const V c_previous = previous[1];
    const V normalised_c = normalised[0];
    const V i = sigmoid(a_i);                                           // i = sigmoid(a_i)
    const V f = sigmoid(a_f);                                           // f = sigmoid(a_f)
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V o = sigmoid(a_o);                                           // o = sigmoid(a_o)
    const V t10 = f * c_previous;                                       // c = f * c + i * g
    const V t11 = i * g;                                                // c = f * c + i * g
    const V c = t10 + t11;                                              // c = f * c + i * g
    const V t13 = tanh(normalised_c);                                   // h = o * tanh(c)
    const V h = o * t13;                                                // h = o * tanh(c)
    next[0] = h;
    next[1] = c;
    saved[0] = i;
    saved[1] = f;
    saved[2] = g;
    saved[3] = o;
    saved[4] = t13;
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
    const V o = saved[3];                                               // o = sigmoid(a_o)
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
    const V i = saved[0];                                               // i = sigmoid(a_i)
    const V f = saved[1];                                               // f = sigmoid(a_f)
    const V g = saved[2];                                               // g = tanh(a_g)
    const V o = saved[3];                                               // o = sigmoid(a_o)
    const V saved_4 = saved[4];                                         // h = o * tanh(c)
    const V d_c = d_next[1];
    const V d_inner_c = d_inner[0];
    const V c_previous = previous[1];
    const V d_h = d_next[0];
    const V t9 = d_c + d_inner_c;
    const V t10 = t9 * g;                                               // c = f * c + i * g
    const V t12 = V::constant(1.0) - i;                                 // i = sigmoid(a_i)
    const V t13 = i * t12;                                              // i = sigmoid(a_i)
    const V t14 = t10 * t13;                                            // i = sigmoid(a_i)
    const V t15 = t9 * c_previous;                                      // c = f * c + i * g
    const V t16 = V::constant(1.0) - f;                                 // f = sigmoid(a_f)
    const V t17 = f * t16;                                              // f = sigmoid(a_f)
    const V t18 = t15 * t17;                                            // f = sigmoid(a_f)
    const V t19 = t9 * i;                                               // c = f * c + i * g
    const V t20 = g * g;                                                // g = tanh(a_g)
    const V t21 = V::constant(1.0) - t20;                               // g = tanh(a_g)
    const V t22 = t19 * t21;                                            // g = tanh(a_g)
    const V t23 = d_h * saved_4;                                        // h = o * tanh(c)
    const V t24 = V::constant(1.0) - o;                                 // o = sigmoid(a_o)
    const V t25 = o * t24;                                              // o = sigmoid(a_o)
    const V t26 = t23 * t25;                                            // o = sigmoid(a_o)
    const V t28 = t9 * f;                                               // c = f * c + i * g
    d_accumulator[0] = t14;
    d_accumulator[1] = t18;
    d_accumulator[2] = t22;
    d_accumulator[3] = t26;
    d_previous[0] = V::constant(0.0);
    d_previous[1] = t28;
  }
};
