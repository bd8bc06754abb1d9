// One function for each family of models. zoo.cpp has their names, options and presets.
#pragma once

#include "model/zoo.h"
#include "model/zoo/layers.h"
#include "model/zoo/options.h"

namespace funcpipe::zoo {

ZooModel fashion_cnn(const Options& options, Initialiser& init);
ZooModel char_gpt(const Options& options, Initialiser& init);
ZooModel resnet(const Options& options, Initialiser& init);
ZooModel bert(const Options& options, Initialiser& init);
ZooModel amoebanet(const Options& options, Initialiser& init);

}  // namespace funcpipe::zoo
