# The part of the room that needs no libtorch.
funcpipe_library(lanes
  SOURCES arrival.cpp player.cpp trace.cpp wire.cpp
  USES base plan schedule timeline store)
