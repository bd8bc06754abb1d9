# The part of the room that needs no libtorch.
funcpipe_library(lanes
  SOURCES arrival.cpp player.cpp trace.cpp
  USES base protocol plan schedule timeline store)
