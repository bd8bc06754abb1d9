// What most tests of models and of workers include.
#pragma once

#include "../../src/model/precompiled.h"
#include "../base/precompiled.h"
