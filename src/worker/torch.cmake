# The part of the room that computes, and the binary that runs inside a function.
funcpipe_library(worker
  SOURCES exchange.cpp flat_gradient.cpp loss.cpp optimizer.cpp sample_source.cpp stage_executor.cpp worker.cpp
  USES base config profile plan schedule store data model lanes worker_core
  LIBRARIES ${TORCH_LIBRARIES})
