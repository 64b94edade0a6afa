// Every built-in cell. Generated from src/gatework/cells by `make cells`.
// clang-format off
#include "rnn.h"
#include "rnn_relu.h"
#include "gru.h"
#include "lstm.h"
#include "peephole.h"
#include "coupled.h"
#include "indrnn.h"
#include "minimal.h"
#include "slstm.h"
