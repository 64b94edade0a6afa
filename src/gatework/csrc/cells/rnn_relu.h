// clang-format off
// Vanilla RNN, rectifier (Elman 1990).
// Generated from src/gatework/cells by `make cells`: change step(), not this file.
struct rnn_relu {
  static constexpr int accumulators = 1;
  static constexpr int states = 1;
  static constexpr int saved = 0;
  static constexpr int traced = 1;
  static constexpr int units = 0;
  static constexpr int normalised = 0;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[1] = {true};
  static constexpr bool recurrent_product[1] = {true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[1] = {false};
  static constexpr bool reads_next[1] = {true};
  // By state: whether it reaches its next value other than through the recurrent product.
  static constexpr bool carries[1] = {false};
  // What `trace` holds, in order.
  static constexpr const char* names[1] = {"h"};
  // By state: its place in `trace`.
  static constexpr int traced_state[1] = {0};

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, V* next, [[maybe_unused]] V* saved, V* trace) {
    const V a_h = accumulator[0];
    const V h = relu(a_h);                                              // h = relu(a_h)
    next[0] = h;
    trace[0] = h;
  }

  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                       [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit, const V* d_next,
                                       V* d_accumulator, V* d_previous, [[maybe_unused]] V* d_unit) {
    const V h = next[0];
    const V d_h = d_next[0];
    const auto t3 = h > V::constant(0.0);                               // h = relu(a_h)
    const V t4 = select(t3, d_h, V::constant(0.0));                     // h = relu(a_h)
    d_accumulator[0] = t4;
    d_previous[0] = V::constant(0.0);
  }
};

// The same under layer norm.
using rnn_relu_normalised = rnn_relu;
