#pragma once

#include "catalog/parameter_server.h"
