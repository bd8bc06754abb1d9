# Tests of the part of the room that needs no libtorch.
funcpipe_test(lanes SOURCES arrival_test.cpp conformance_test.cpp player_test.cpp USES lanes simulator)
