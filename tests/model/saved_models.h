// The models that make_models.py and make_graph_models.py save with Debian's PyTorch, written once per test program.
#pragma once

#include <filesystem>
#include <string>

namespace funcpipe::testing {

// The folder with NAME.script.pt and NAME.trace.pt; empty if Python or its torch cannot run (the test should fail).
const std::filesystem::path& saved_models();

// The folder with what make_graph_models.py writes there; empty as above.
const std::filesystem::path& graph_models();

// Runs /usr/bin/python3 (or $FUNCPIPE_PYTHON) with `arguments`; its exit status.
int run_python(const std::string& arguments);

}  // namespace funcpipe::testing
