#pragma once

namespace funcpipe {

// Sets the number of threads that one operation uses, for the whole process. at::set_num_threads alone is not enough:
// OpenBLAS has threads of its own, as many as the machine has processors.
void set_compute_threads(int threads);

}  // namespace funcpipe
