# The part of the room that computes, and the binary that runs inside a function.
funcpipe_library(worker
  SOURCES
    divergence.cpp exchange.cpp flat_gradient.cpp function.cpp gradient_executor.cpp loss.cpp measuring.cpp model_verbs.cpp optimizer.cpp
    parameter_server.cpp sample_source.cpp stage_executor.cpp trial.cpp worker.cpp
  USES base config profile plan schedule store data model measure lanes worker_core
  LIBRARIES ${TORCH_LIBRARIES}
  PRECOMPILED funcpipe_model)

add_executable(funcpipe-worker main.cpp)
target_link_libraries(funcpipe-worker PRIVATE funcpipe_worker CLI11::CLI11)
set_target_properties(funcpipe-worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
