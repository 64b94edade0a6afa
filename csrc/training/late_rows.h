// Gradients of a table of word vectors by rows, added up, and Adam for it, of which a step computes only the rows that
// its batch has; the others catch up when they are read. src/gatework/training/late_rows.py has the equations.
#pragma once

#include <cstdint>
#include <vector>

namespace gatework::training {

// What an average of gradients, and of their squares, keeps of itself at each step; all of training takes them here.
constexpr double beta1 = 0.9, beta2 = 0.999;

struct Table {
  int64_t rows, columns;
  float* weights;  // (rows, columns), as the two that follow
  float* means;
  float* squares;
  double* owed;  // (4, rows): steps missed, r^missed, D, and the product of what weight decay leaves
  double epsilon;
};

struct Step {
  int64_t number;  // counted from 1
  double learning_rate, weight_decay;
};

// Brings rows, each perhaps more than once, to the step of this number, which was taken last; passes over what is no
// row.
void catch_up(const Table& table, const int64_t* rows, int64_t count, int64_t number);

// Takes a step: rows, which are up to date and each there once, are moved by their gradients (count, columns), and all
// others owe it.
void take_step(const Table& table, const int64_t* rows, int64_t count, const float* gradients, const Step& step);

// What stands in some rows, (count, columns).
struct Values {
  const float* values;
  int64_t count;
};

// Adds up values that belong to rows, part after part, in the order in which they come. The rows that are there, in
// order, go to numbers, of which there may be as many as there are values; their sums to sums (result, columns). All
// rows are within 0 .. size - 1. Returns how many there are.
int64_t add_up_rows(const int64_t* rows, const std::vector<Values>& parts, int64_t size, int64_t columns,
                    int64_t* numbers, float* sums);

}  // namespace gatework::training
