// The door from Python: addresses and sizes in, no logic.
#include <nanobind/nanobind.h>

#include "dispatch.h"

namespace nb = nanobind;

NB_MODULE(_native, m) {
  m.doc() = "gatework's native kernels";
  m.def("is_supported", [](int isa) { return gatework::is_supported(static_cast<gatework::Isa>(isa)); });
}
