# What a worker decides without computing: its programs, pace, learning rate, reports, snapshots; and how it is invoked.
funcpipe_library(worker_core
  SOURCES
    job_store.cpp lambda_runtime.cpp lr_schedule.cpp open_store.cpp process.cpp programs.cpp reporter.cpp snapshot.cpp validation_rounds.cpp
  USES base config plan schedule store)
