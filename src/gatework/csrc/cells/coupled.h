// clang-format off
// LSTM with coupled gates (Greff et al. 2017).
// Generated from src/gatework/cells by `make cells`: change step(), not this file.
struct coupled {
  static constexpr int accumulators = 3;
  static constexpr int states = 2;
  static constexpr int saved = 4;
  static constexpr int traced = 6;
  static constexpr int units = 0;
  static constexpr int normalised = 0;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[3] = {true, true, true};
  static constexpr bool recurrent_product[3] = {true, true, true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[2] = {false, true};
  static constexpr bool reads_next[2] = {false, false};
  // By state: whether it reaches its next value other than through the recurrent product.
  static constexpr bool carries[2] = {false, true};
  // What `trace` holds, in order.
  static constexpr const char* names[6] = {"f", "i", "g", "o", "c", "h"};
  // By state: its place in `trace`.
  static constexpr int traced_state[2] = {5, 4};

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, V* next, [[maybe_unused]] V* saved, V* trace) {
    const V a_f = accumulator[0];
    const V a_g = accumulator[1];
    const V a_o = accumulator[2];
    const V c_previous = previous[1];
    const V f = sigmoid(a_f);                                           // f = sigmoid(a_f)
    const V i = V::constant(1.0) - f;                                   // i = 1 - f
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V o = sigmoid(a_o);                                           // o = sigmoid(a_o)
    const V t9 = f * c_previous;                                        // c = f * c + i * g
    const V t10 = i * g;                                                // c = f * c + i * g
    const V c = t9 + t10;                                               // c = f * c + i * g
    const V t12 = tanh(c);                                              // h = o * tanh(c)
    const V h = o * t12;                                                // h = o * tanh(c)
    next[0] = h;
    next[1] = c;
    saved[0] = f;
    saved[1] = g;
    saved[2] = o;
    saved[3] = t12;
    trace[0] = f;
    trace[1] = i;
    trace[2] = g;
    trace[3] = o;
    trace[4] = c;
    trace[5] = h;
  }

  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                       [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit, const V* d_next,
                                       V* d_accumulator, V* d_previous, [[maybe_unused]] V* d_unit) {
    const V f = saved[0];                                               // f = sigmoid(a_f)
    const V g = saved[1];                                               // g = tanh(a_g)
    const V o = saved[2];                                               // o = sigmoid(a_o)
    const V saved_3 = saved[3];                                         // h = o * tanh(c)
    const V d_c = d_next[1];
    const V d_h = d_next[0];
    const V c_previous = previous[1];
    const V t7 = d_h * o;                                               // h = o * tanh(c)
    const V t9 = saved_3 * saved_3;                                     // h = o * tanh(c)
    const V t10 = V::constant(1.0) - t9;                                // h = o * tanh(c)
    const V t11 = t7 * t10;                                             // h = o * tanh(c)
    const V t12 = d_c + t11;                                            // h = o * tanh(c)
    const V t13 = t12 * c_previous;                                     // c = f * c + i * g
    const V t14 = t12 * g;                                              // c = f * c + i * g
    const V t15 = -t14;                                                 // i = 1 - f
    const V t16 = t13 + t15;                                            // i = 1 - f
    const V i = V::constant(1.0) - f;                                   // i = 1 - f
    const V t18 = f * i;                                                // f = sigmoid(a_f)
    const V t19 = t16 * t18;                                            // f = sigmoid(a_f)
    const V t20 = t12 * i;                                              // c = f * c + i * g
    const V t21 = g * g;                                                // g = tanh(a_g)
    const V t22 = V::constant(1.0) - t21;                               // g = tanh(a_g)
    const V t23 = t20 * t22;                                            // g = tanh(a_g)
    const V t24 = d_h * saved_3;                                        // h = o * tanh(c)
    const V t25 = V::constant(1.0) - o;                                 // o = sigmoid(a_o)
    const V t26 = o * t25;                                              // o = sigmoid(a_o)
    const V t27 = t24 * t26;                                            // o = sigmoid(a_o)
    const V t29 = t12 * f;                                              // c = f * c + i * g
    d_accumulator[0] = t19;
    d_accumulator[1] = t23;
    d_accumulator[2] = t27;
    d_previous[0] = V::constant(0.0);
    d_previous[1] = t29;
  }
};

// The same under layer norm.
struct coupled_normalised {
  static constexpr int accumulators = 3;
  static constexpr int states = 2;
  static constexpr int saved = 4;
  static constexpr int traced = 6;
  static constexpr int units = 0;
  static constexpr int normalised = 1;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[3] = {true, true, true};
  static constexpr bool recurrent_product[3] = {true, true, true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[2] = {false, true};
  static constexpr bool reads_next[2] = {false, false};
  // By state: whether it reaches its next value other than through the recurrent product.
  static constexpr bool carries[2] = {false, true};
  // What `trace` holds, in order.
  static constexpr const char* names[6] = {"f", "i", "g", "o", "c", "h"};
  // By state: its place in `trace`.
  static constexpr int traced_state[2] = {5, 4};
  // The states that are normalised.
  static constexpr int normalised_state[1] = {1};

  // The states before their norm; the step itself takes the norm's result.
  template <class V>
  GATEWORK_INLINE static void inner(const V* accumulator, [[maybe_unused]] const V* previous,
                                    [[maybe_unused]] const V* unit, V* inner) {
    const V a_f = accumulator[0];
    const V c_previous = previous[1];
    const V a_g = accumulator[1];
    const V f = sigmoid(a_f);                                           // f = sigmoid(a_f)
    const V t4 = f * c_previous;                                        // c = f * c + i * g
    const V i = V::constant(1.0) - f;                                   // i = 1 - f
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V t8 = i * g;                                                 // c = f * c + i * g
    const V c = t4 + t8;                                                // c = f * c + i * g
    inner[0] = c;
  }

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, const V* normalised, V* next,
                                      [[maybe_unused]] V* saved, V* trace) {
    const V a_f = accumulator[0];
    const V a_g = accumulator[1];
    const V a_o = accumulator[2];
    const V c_previous = previous[1];
    const V normalised_c = normalised[0];
    const V f = sigmoid(a_f);                                           // f = sigmoid(a_f)
    const V i = V::constant(1.0) - f;                                   // i = 1 - f
    const V g = tanh(a_g);                                              // g = tanh(a_g)
    const V o = sigmoid(a_o);                                           // o = sigmoid(a_o)
    const V t10 = f * c_previous;                                       // c = f * c + i * g
    const V t11 = i * g;                                                // c = f * c + i * g
    const V c = t10 + t11;                                              // c = f * c + i * g
    const V t13 = tanh(normalised_c);                                   // h = o * tanh(c)
    const V h = o * t13;                                                // h = o * tanh(c)
    next[0] = h;
    next[1] = c;
    saved[0] = f;
    saved[1] = g;
    saved[2] = o;
    saved[3] = t13;
    trace[0] = f;
    trace[1] = i;
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
    const V o = saved[2];                                               // o = sigmoid(a_o)
    const V saved_3 = saved[3];                                         // h = o * tanh(c)
    const V d_h = d_next[0];
    const V t3 = d_h * o;                                               // h = o * tanh(c)
    const V t5 = saved_3 * saved_3;                                     // h = o * tanh(c)
    const V t6 = V::constant(1.0) - t5;                                 // h = o * tanh(c)
    const V t7 = t3 * t6;                                               // h = o * tanh(c)
    d_normalised[0] = t7;
  }

  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                       [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit, const V* d_next,
                                       const V* d_inner, V* d_accumulator, V* d_previous, [[maybe_unused]] V* d_unit) {
    const V f = saved[0];                                               // f = sigmoid(a_f)
    const V g = saved[1];                                               // g = tanh(a_g)
    const V o = saved[2];                                               // o = sigmoid(a_o)
    const V saved_3 = saved[3];                                         // h = o * tanh(c)
    const V d_c = d_next[1];
    const V d_inner_c = d_inner[0];
    const V c_previous = previous[1];
    const V d_h = d_next[0];
    const V t8 = d_c + d_inner_c;
    const V t9 = t8 * c_previous;                                       // c = f * c + i * g
    const V t10 = t8 * g;                                               // c = f * c + i * g
    const V t11 = -t10;                                                 // i = 1 - f
    const V t12 = t9 + t11;                                             // i = 1 - f
    const V i = V::constant(1.0) - f;                                   // i = 1 - f
    const V t15 = f * i;                                                // f = sigmoid(a_f)
    const V t16 = t12 * t15;                                            // f = sigmoid(a_f)
    const V t17 = t8 * i;                                               // c = f * c + i * g
    const V t18 = g * g;                                                // g = tanh(a_g)
    const V t19 = V::constant(1.0) - t18;                               // g = tanh(a_g)
    const V t20 = t17 * t19;                                            // g = tanh(a_g)
    const V t21 = d_h * saved_3;                                        // h = o * tanh(c)
    const V t22 = V::constant(1.0) - o;                                 // o = sigmoid(a_o)
    const V t23 = o * t22;                                              // o = sigmoid(a_o)
    const V t24 = t21 * t23;                                            // o = sigmoid(a_o)
    const V t26 = t8 * f;                                               // c = f * c + i * g
    d_accumulator[0] = t16;
    d_accumulator[1] = t20;
    d_accumulator[2] = t24;
    d_previous[0] = V::constant(0.0);
    d_previous[1] = t26;
  }
};
