// clang-format off
// minLSTM (Feng et al. 2024).
// Generated from src/gatework/cells by `make cells`: change step(), not this file.
struct minimal {
  static constexpr int accumulators = 3;
  static constexpr int states = 1;
  static constexpr int saved = 4;
  static constexpr int traced = 4;
  static constexpr int units = 0;
  static constexpr int normalised = 0;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[3] = {true, true, true};
  static constexpr bool recurrent_product[3] = {false, false, false};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[1] = {true};
  static constexpr bool reads_next[1] = {false};
  // By state: whether it reaches its next value other than through the recurrent product.
  static constexpr bool carries[1] = {true};
  // What `trace` holds, in order.
  static constexpr const char* names[4] = {"f", "i", "g", "h"};
  // By state: its place in `trace`.
  static constexpr int traced_state[1] = {3};

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, V* next, [[maybe_unused]] V* saved, V* trace) {
    const V x_i = accumulator[1];
    const V x_f = accumulator[0];
    const V x_g = accumulator[2];
    const V h_previous = previous[0];
    const V t4 = -x_i;                                                  // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t5 = softplus(t4);                                          // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t6 = -x_f;                                                  // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t7 = softplus(t6);                                          // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t8 = t5 - t7;                                               // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V f = sigmoid(t8);                                            // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V i = V::constant(1.0) - f;                                   // i = 1 - f
    const V t12 = f * h_previous;                                       // h = f * h + i * g
    const V t13 = i * x_g;                                              // h = f * h + i * g
    const V h = t12 + t13;                                              // h = f * h + i * g
    next[0] = h;
    saved[0] = x_i;
    saved[1] = x_f;
    saved[2] = f;
    saved[3] = x_g;
    trace[0] = f;
    trace[1] = i;
    trace[2] = x_g;
    trace[3] = h;
  }

  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                       [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit, const V* d_next,
                                       V* d_accumulator, V* d_previous, [[maybe_unused]] V* d_unit) {
    const V x_i = saved[0];
    const V x_f = saved[1];
    const V f = saved[2];                                               // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V g = saved[3];
    const V d_h = d_next[0];
    const V h_previous = previous[0];
    const V t6 = d_h * h_previous;                                      // h = f * h + i * g
    const V t7 = d_h * g;                                               // h = f * h + i * g
    const V t8 = -t7;                                                   // i = 1 - f
    const V t9 = t6 + t8;                                               // i = 1 - f
    const V i = V::constant(1.0) - f;                                   // i = 1 - f
    const V t12 = f * i;                                                // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t13 = t9 * t12;                                             // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t14 = -t13;                                                 // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t15 = -x_f;                                                 // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t16 = sigmoid(t15);                                         // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t17 = t14 * t16;                                            // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t18 = -t17;                                                 // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t19 = -x_i;                                                 // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t20 = sigmoid(t19);                                         // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t21 = t13 * t20;                                            // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t22 = -t21;                                                 // f = sigmoid(softplus(-x_i) - softplus(-x_f))
    const V t23 = d_h * i;                                              // h = f * h + i * g
    const V t24 = d_h * f;                                              // h = f * h + i * g
    d_accumulator[0] = t18;
    d_accumulator[1] = t22;
    d_accumulator[2] = t23;
    d_previous[0] = t24;
  }
};

// The same under layer norm.
using minimal_normalised = minimal;
