// The names of the built-in cells. Generated from src/gatework/cells by `make cells`.
// clang-format off
// Calls X(name) for each.
#define GATEWORK_CELLS(X) X(rnn) X(rnn_relu) X(gru) X(lstm) X(peephole) X(coupled) X(indrnn) X(minimal) X(slstm)
