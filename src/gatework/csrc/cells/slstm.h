// clang-format off
// sLSTM (Beck et al. 2024).
// Generated from src/gatework/cells by `make cells`: change step(), not this file.
struct slstm {
  static constexpr int accumulators = 4;
  static constexpr int states = 4;
  static constexpr int saved = 7;
  static constexpr int traced = 8;
  static constexpr int units = 0;
  static constexpr int normalised = 0;
  // By accumulator: whether the input product and the recurrent product feed it.
  static constexpr bool input_product[4] = {true, true, true, true};
  static constexpr bool recurrent_product[4] = {true, true, true, true};
  // By state: whether the backward step reads its previous and its new value.
  static constexpr bool reads_previous[4] = {false, true, true, true};
  static constexpr bool reads_next[4] = {true, true, true, false};
  // By state: whether it reaches its next value other than through the recurrent product.
  static constexpr bool carries[4] = {false, true, true, true};
  // What `trace` holds, in order.
  static constexpr const char* names[8] = {"i", "f", "z", "o", "c", "n", "m", "h"};
  // By state: its place in `trace`.
  static constexpr int traced_state[4] = {7, 4, 5, 6};

  template <class V>
  GATEWORK_INLINE static void forward(const V* accumulator, [[maybe_unused]] const V* previous,
                                      [[maybe_unused]] const V* unit, V* next, [[maybe_unused]] V* saved, V* trace) {
    const V a_i = accumulator[0];
    const V n_previous = previous[2];
    const V m_previous = previous[3];
    const V a_f = accumulator[1];
    const V a_z = accumulator[2];
    const V a_o = accumulator[3];
    const V c_previous = previous[1];
    const auto t8 = n_previous > V::constant(0.0);                      // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t9 = -a_f;                                                  // kept = m - softplus(-a_f)
    const V t10 = softplus(t9);                                         // kept = m - softplus(-a_f)
    const V t11 = m_previous - t10;                                     // kept = m - softplus(-a_f)
    const V t12 = maximum(t11, a_i);                                    // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V m = select(t8, t12, a_i);                                   // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t14 = a_i - m;                                              // i = exp(a_i - stabiliser)
    const V i = exp(t14);                                               // i = exp(a_i - stabiliser)
    const V t16 = t11 - m;                                              // f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    const V t17 = select(t8, t16, V::constant(0.0));                    // f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    const V f = exp(t17);                                               // f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    const V z = tanh(a_z);                                              // z = tanh(a_z)
    const V o = sigmoid(a_o);                                           // o = sigmoid(a_o)
    const V t21 = f * c_previous;                                       // c = f * c + i * z
    const V t22 = i * z;                                                // c = f * c + i * z
    const V c = t21 + t22;                                              // c = f * c + i * z
    const V t24 = f * n_previous;                                       // n = f * n + i
    const V n = t24 + i;                                                // n = f * n + i
    const V t26 = o * c;                                                // h = o * c / n
    const V h = t26 / n;                                                // h = o * c / n
    next[0] = h;
    next[1] = c;
    next[2] = n;
    next[3] = m;
    saved[0] = a_i;
    saved[1] = a_f;
    saved[2] = t10;
    saved[3] = i;
    saved[4] = f;
    saved[5] = z;
    saved[6] = o;
    trace[0] = i;
    trace[1] = f;
    trace[2] = z;
    trace[3] = o;
    trace[4] = c;
    trace[5] = n;
    trace[6] = m;
    trace[7] = h;
  }

  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] const V* saved, [[maybe_unused]] const V* previous,
                                       [[maybe_unused]] const V* next, [[maybe_unused]] const V* unit, const V* d_next,
                                       V* d_accumulator, V* d_previous, [[maybe_unused]] V* d_unit) {
    const V a_i = saved[0];
    const V a_f = saved[1];
    const V saved_2 = saved[2];                                         // kept = m - softplus(-a_f)
    const V i = saved[3];                                               // i = exp(a_i - stabiliser)
    const V f = saved[4];                                               // f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    const V z = saved[5];                                               // z = tanh(a_z)
    const V o = saved[6];                                               // o = sigmoid(a_o)
    const V h = next[0];
    const V c = next[1];
    const V n = next[2];
    const V d_n = d_next[2];
    const V d_h = d_next[0];
    const V n_previous = previous[2];
    const V m_previous = previous[3];
    const V c_previous = previous[1];
    const V d_c = d_next[1];
    const V d_m = d_next[3];
    const V t17 = d_h * h;                                              // h = o * c / n
    const V t18 = t17 / n;                                              // h = o * c / n
    const V t19 = -t18;                                                 // h = o * c / n
    const V t20 = d_n + t19;                                            // h = o * c / n
    const V t21 = d_h / n;                                              // h = o * c / n
    const V t22 = t21 * o;                                              // h = o * c / n
    const V t23 = d_c + t22;                                            // h = o * c / n
    const V t24 = t23 * z;                                              // c = f * c + i * z
    const V t25 = t20 + t24;                                            // c = f * c + i * z
    const V t26 = t25 * i;                                              // i = exp(a_i - stabiliser)
    const auto t28 = n_previous > V::constant(0.0);                     // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t29 = t20 * n_previous;                                     // n = f * n + i
    const V t30 = t23 * c_previous;                                     // c = f * c + i * z
    const V t31 = t29 + t30;                                            // c = f * c + i * z
    const V t32 = t31 * f;                                              // f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    const V t33 = select(t28, t32, V::constant(0.0));                   // f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    const V t34 = -t33;                                                 // f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    const V t35 = d_m + t34;                                            // f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    const V t36 = -t26;                                                 // i = exp(a_i - stabiliser)
    const V t37 = t35 + t36;                                            // i = exp(a_i - stabiliser)
    const V t38 = select(t28, V::constant(0.0), t37);                   // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t39 = t26 + t38;                                            // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t40 = select(t28, t37, V::constant(0.0));                   // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t41 = m_previous - saved_2;                                 // kept = m - softplus(-a_f)
    const auto t42 = t41 > a_i;                                         // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const auto t43 = t41 == a_i;                                        // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t45 = V::constant(0.5) * t40;                               // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t46 = select(t43, t45, V::constant(0.0));                   // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t47 = select(t42, t40, t46);                                // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t48 = t40 - t47;                                            // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t49 = t39 + t48;                                            // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t50 = t33 + t47;                                            // stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    const V t51 = -t50;                                                 // kept = m - softplus(-a_f)
    const V t52 = -a_f;                                                 // kept = m - softplus(-a_f)
    const V t53 = sigmoid(t52);                                         // kept = m - softplus(-a_f)
    const V t54 = t51 * t53;                                            // kept = m - softplus(-a_f)
    const V t55 = -t54;                                                 // kept = m - softplus(-a_f)
    const V t56 = t23 * i;                                              // c = f * c + i * z
    const V t58 = z * z;                                                // z = tanh(a_z)
    const V t59 = V::constant(1.0) - t58;                               // z = tanh(a_z)
    const V t60 = t56 * t59;                                            // z = tanh(a_z)
    const V t61 = t21 * c;                                              // h = o * c / n
    const V t62 = V::constant(1.0) - o;                                 // o = sigmoid(a_o)
    const V t63 = o * t62;                                              // o = sigmoid(a_o)
    const V t64 = t61 * t63;                                            // o = sigmoid(a_o)
    const V t65 = t23 * f;                                              // c = f * c + i * z
    const V t66 = t20 * f;                                              // n = f * n + i
    d_accumulator[0] = t49;
    d_accumulator[1] = t55;
    d_accumulator[2] = t60;
    d_accumulator[3] = t64;
    d_previous[0] = V::constant(0.0);
    d_previous[1] = t65;
    d_previous[2] = t66;
    d_previous[3] = t50;
  }
};

// The same under layer norm.
using slstm_normalised = slstm;
