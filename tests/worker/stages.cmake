# Tests of a worker's life that import no model: ThreadSanitizer watches these. Nobody's precompiled headers fit.
funcpipe_test(worker_threads SOURCES linear_stages.cpp worker_threads_test.cpp USES worker PRECOMPILED worker_threads_test)
