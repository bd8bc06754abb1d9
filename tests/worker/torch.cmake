# Tests of the part of the room that computes.
funcpipe_library(worker_testing SOURCES in_process_job.cpp plain_training.cpp test_models.cpp USES worker LIBRARIES GTest::gtest
  PRECOMPILED funcpipe_model)
# Of an algorithm whose order of sums is its own.
file(GLOB SYNC_EQUALITY CONFIGURE_DEPENDS sync/*_test.cpp)
funcpipe_test(equality SOURCES equality_test.cpp equality_zoo_test.cpp ${SYNC_EQUALITY} USES worker_testing TIMEOUT 300 PRECOMPILED model_test)
funcpipe_test(state SOURCES state_test.cpp USES worker_testing model_testing TIMEOUT 300 PRECOMPILED model_test)
funcpipe_test(wire_faults SOURCES wire_faults_test.cpp ../emulator/s3_harness.cpp USES worker_testing emulator TIMEOUT 300 PRECOMPILED model_test)
funcpipe_test(worker SOURCES divergence_test.cpp exchange_test.cpp faults_test.cpp gradient_test.cpp optimizer_test.cpp USES worker_testing TIMEOUT 300 PRECOMPILED model_test)
