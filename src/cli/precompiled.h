// Headers that most sources of this room include.
#pragma once

#include <CLI/CLI.hpp>

#include "../base/precompiled.h"
