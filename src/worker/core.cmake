# What a worker decides without computing: its pace, learning rate, reports, snapshots; and how it is invoked.
funcpipe_library(worker_core
  SOURCES
    claim.cpp collector.cpp job_store.cpp lambda_runtime.cpp lr_schedule.cpp open_store.cpp process.cpp reporter.cpp snapshot.cpp snapshot_store.cpp
  USES base config protocol plan schedule store)
