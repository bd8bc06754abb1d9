# The part of the room that computes: a worker's life. It is all there is without FUNCPIPE_TORCH.
set(sources
  divergence.cpp exchange.cpp flat_gradient.cpp gradient_executor.cpp loss.cpp optimizer.cpp parameter_server.cpp sample_source.cpp
  stage_executor.cpp worker.cpp)
set(rooms base config profile plan schedule store data model lanes worker_core)
# What imports models and measures them, and how a function runs it all.
if(FUNCPIPE_TORCH)
  list(APPEND sources function.cpp layer_measurements.cpp model_verbs.cpp trial.cpp)
  list(APPEND rooms measure)
endif()
funcpipe_library(worker SOURCES ${sources} USES ${rooms} LIBRARIES ${TORCH_LIBRARIES} PRECOMPILED funcpipe_model)

# The binary that runs inside a function.
if(FUNCPIPE_TORCH)
  add_executable(funcpipe-worker main.cpp)
  target_link_libraries(funcpipe-worker PRIVATE funcpipe_worker CLI11::CLI11)
  set_target_properties(funcpipe-worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endif()
