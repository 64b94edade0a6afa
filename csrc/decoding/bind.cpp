// The door from Python to what decodes and counts; gatework/decoding/ checks every value before it comes here.
#include <nanobind/nanobind.h>

// Each part has its door in a file of its own, bind_<part>.cpp.
void bind_ctc(nanobind::module_& m);
void bind_ctc_paths(nanobind::module_& m);
void bind_language_model(nanobind::module_& m);
void bind_layer_steps(nanobind::module_& m);
void bind_ngrams(nanobind::module_& m);
void bind_read_out(nanobind::module_& m);

NB_MODULE(_decoding, m) {
  // A command ends without tidying up: what is left then is given back with the process.
  nanobind::set_leak_warnings(false);
  m.doc() = "n-grams, beams and alignments in native code";
  bind_ctc(m);
  bind_ctc_paths(m);
  bind_language_model(m);
  bind_layer_steps(m);
  bind_ngrams(m);
  bind_read_out(m);
}
