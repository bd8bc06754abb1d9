# Tests of what a worker decides without computing.
funcpipe_test(worker_core
  SOURCES job_store_test.cpp lr_schedule_test.cpp open_store_test.cpp reporter_test.cpp snapshot_test.cpp
  USES worker_core)
