#pragma once

namespace funcpipe {

// Threads of one operation, in this whole process. at::set_num_threads alone leaves matrix products with as many as the
// machine has processors: OpenBLAS keeps threads of its own and does not ask.
void set_compute_threads(int threads);

}  // namespace funcpipe
