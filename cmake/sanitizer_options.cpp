// What the sanitizers' runtimes start with, in every program of a sanitized build: function instances too, which
// inherit no environment. ASAN_OPTIONS and the like still have the last word.

extern "C" {

// libtorch keeps its registries to the end of the process; it is not instrumented itself.
const char* __asan_default_options();
const char* __asan_default_options() {
  return "detect_leaks=0:detect_odr_violation=0";
}

const char* __ubsan_default_options();
const char* __ubsan_default_options() {
  return "halt_on_error=1:print_stacktrace=1";
}

// Nothing is suppressed. libtorch is not instrumented: what its kernels read and write is not watched, which hides
// races there but has made up none, since threads of ours hand tensors over under locks of ours.
const char* __tsan_default_options();
const char* __tsan_default_options() {
  return "halt_on_error=1";
}

}  // extern "C"
