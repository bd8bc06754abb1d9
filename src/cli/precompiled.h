// What most of this room's sources include.
#pragma once

#include <CLI/CLI.hpp>

#include "../base/precompiled.h"
