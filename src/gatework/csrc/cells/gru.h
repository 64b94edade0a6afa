// clang-format off
// GRU (Cho et al. 2014).
// Generated from src/gatework/cells by `make cells`: change step(), not this file.
struct gru {
  static constexpr int accumulators = 4;
  static constexpr int states = 1;
  static constexpr int saved = 4;
  static constexpr int traced = 4;
  static constexpr int units = 0;
  static constexpr int normalised = 0;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[4] = {true, true, true, false};
  static constexpr bool recurrent_product[4] = {true, true, false, true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[1] = {true};
  static constexpr bool reads_next[1] = {false};
  // By state: whether it reaches its next value other than through the recurrent product.
  static constexpr bool carries[1] = {true};
  // What `trace` holds, in order.
  static constexpr const char* names[4] = {"r", "z", "n", "h"};
  // By state: its place in `trace`.
  static constexpr int traced_state[1] = {3};

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, V* next, [[maybe_unused]] V* saved, V* trace) {
    const V a_r = accumulator[0];
    const V a_z = accumulator[1];
    const V x_n = accumulator[2];
    const V u_n = accumulator[3];
    const V h_previous = previous[0];
    const V r = sigmoid(a_r);                                           // r = sigmoid(a_r)
    const V z = sigmoid(a_z);                                           // z = sigmoid(a_z)
    const V t7 = r * u_n;                                               // n = tanh(x_n + r * u_n)
    const V t8 = x_n + t7;                                              // n = tanh(x_n + r * u_n)
    const V n = tanh(t8);                                               // n = tanh(x_n + r * u_n)
    const V t11 = V::constant(1.0) - z;                                 // h = (1 - z) * n + z * h
    const V t12 = t11 * n;                                              // h = (1 - z) * n + z * h
    const V t13 = z * h_previous;                                       // h = (1 - z) * n + z * h
    const V h = t12 + t13;                                              // h = (1 - z) * n + z * h
    next[0] = h;
    saved[0] = r;
    saved[1] = z;
    saved[2] = u_n;
    saved[3] = n;
    trace[0] = r;
    trace[1] = z;
    trace[2] = n;
    trace[3] = h;
  }

  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                       [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit, const V* d_next,
                                       V* d_accumulator, V* d_previous, [[maybe_unused]] V* d_unit) {
    const V r = saved[0];                                               // r = sigmoid(a_r)
    const V z = saved[1];                                               // z = sigmoid(a_z)
    const V u_n = saved[2];
    const V n = saved[3];                                               // n = tanh(x_n + r * u_n)
    const V d_h = d_next[0];
    const V h_previous = previous[0];
    const V t7 = V::constant(1.0) - z;                                  // h = (1 - z) * n + z * h
    const V t8 = d_h * t7;                                              // h = (1 - z) * n + z * h
    const V t9 = n * n;                                                 // n = tanh(x_n + r * u_n)
    const V t10 = V::constant(1.0) - t9;                                // n = tanh(x_n + r * u_n)
    const V t11 = t8 * t10;                                             // n = tanh(x_n + r * u_n)
    const V t12 = t11 * u_n;                                            // n = tanh(x_n + r * u_n)
    const V t13 = V::constant(1.0) - r;                                 // r = sigmoid(a_r)
    const V t14 = r * t13;                                              // r = sigmoid(a_r)
    const V t15 = t12 * t14;                                            // r = sigmoid(a_r)
    const V t16 = d_h * h_previous;                                     // h = (1 - z) * n + z * h
    const V t17 = d_h * n;                                              // h = (1 - z) * n + z * h
    const V t18 = -t17;                                                 // h = (1 - z) * n + z * h
    const V t19 = t16 + t18;                                            // h = (1 - z) * n + z * h
    const V t20 = z * t7;                                               // z = sigmoid(a_z)
    const V t21 = t19 * t20;                                            // z = sigmoid(a_z)
    const V t22 = t11 * r;                                              // n = tanh(x_n + r * u_n)
    const V t23 = d_h * z;                                              // h = (1 - z) * n + z * h
    d_accumulator[0] = t15;
    d_accumulator[1] = t21;
    d_accumulator[2] = t11;
    d_accumulator[3] = t22;
    d_previous[0] = t23;
  }
};

// The same under layer norm.
using gru_normalised = gru;
