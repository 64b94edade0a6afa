// clang-format off
// What may act on a state after the step of a cell: the names, and of each the number that changes nothing,
// whether that number is a probability, and whether the derivative reads the state that the cell gave.
// Generated from src/gatework/cells/options.py by `make cells`: change its functions, not this file.
#pragma once

namespace gatework {

enum StateOption { clip, zoneout };
constexpr int state_option_count = 2;
constexpr double option_neutral[state_option_count] = {__builtin_inf(), 0.0};
constexpr bool option_is_drawn[state_option_count] = {false, true};
constexpr bool option_reads_new[state_option_count] = {true, false};

}  // namespace gatework
