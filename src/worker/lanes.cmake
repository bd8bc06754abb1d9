# The part of the room that needs no libtorch.
funcpipe_library(lanes
  SOURCES player.cpp
  USES base plan schedule store)
