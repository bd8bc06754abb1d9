// The models that make_models.py saves with Debian's PyTorch, written once per test program.
#pragma once

#include <filesystem>
#include <string>

namespace funcpipe::testing {

// The folder with NAME.script.pt and NAME.trace.pt; empty if Python or its torch cannot run (the test should fail).
const std::filesystem::path& saved_models();

// Runs /usr/bin/python3 (or $FUNCPIPE_PYTHON) with `arguments`; its exit status.
int run_python(const std::string& arguments);

}  // namespace funcpipe::testing
