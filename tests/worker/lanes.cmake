# Tests of the part of the room that needs no libtorch.
funcpipe_test(lanes SOURCES player_test.cpp USES lanes)
