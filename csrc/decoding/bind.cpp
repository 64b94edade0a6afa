// The door from Python to what decodes and counts; gatework/decoding/ checks every value before it comes here.
#include <nanobind/nanobind.h>

NB_MODULE(_decoding, m) { m.doc() = "n-grams, beams and alignments in native code"; }
