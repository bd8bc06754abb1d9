// A profile as a measurement of a model of some layers would give it, made up from round figures.
#pragma once

#include "catalog/platform.h"
#include "profile/profile.h"

namespace funcpipe {

// `layers` layers with 20 MB of parameters and 10 MB of activations a sample each, later ones more of the former and
// fewer of the latter; measured at micro-batches of 1 and 4 on the sizes of `platform` from 1024 MB to 10240 MB.
Profile made_profile(const Platform& platform, int layers = 12);

}  // namespace funcpipe
