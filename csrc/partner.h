// A second thread for the scan of a single sequence, which has no second slice for one: each computes half of the units
// of every step (unit_halves.h).
//
// The calling thread never depends on the other. It begins alone, shares from the step at which the partner is there,
// and waits for it for a bounded time; then it computes the partner's half itself, from the last step that the partner
// has handed over. A partner that the system runs again only later may find itself left at any moment, even after the
// call has returned: it reads and writes nothing but what lies in the errand, which lives until both have let go of it.
#pragma once

#include <cstdint>
#include <memory>

#include "exchange.h"

namespace gatework {

// What the partner does: run() returns when the exchange is over, it has been left or it has waited too long.
class Errand {
 public:
  Errand();
  virtual ~Errand() = default;
  virtual void run() = 0;
  Exchange exchange;
};

// Whether the partner may be asked: it is not on an errand, and not to be spared after errands that failed.
bool is_partner_free();

// Sends the partner on an errand, if it is free. It counts as one that failed where the caller was left alone for all
// of it or left its partner: then the partner is spared for the next calls, for twice as many each time up to 64, and
// for half as many after one that did not fail.
void send_partner(std::shared_ptr<Errand> errand);

// The caller's end of the errand.
void end_errand(Errand& errand);

// How many errands there were of which the caller took a step at least.
int64_t errands_done();

}  // namespace gatework
