// Folders that the emulator makes and later removes with everything in them. Beside each lies a file that says so,
// NAME.funcpipe-made; without it nothing is removed, whatever a folder's name is.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace funcpipe {

// Makes `folder` and every folder above it that is missing, for their owner alone (mode 0700). What exists is left as
// it is. Errors: exhausted, permission_denied.
Result<> make_private_folders(const std::filesystem::path& folder);

// Makes the folder, which must not exist, and its mark. Missing folders above it are made as by make_private_folders.
// Errors: already_exists, exhausted, permission_denied.
Result<> make_owned_folder(const std::filesystem::path& folder);

// Marks a folder that an earlier release made.
void mark_owned_folder(const std::filesystem::path& folder);

// Removes the folder with its content, and its mark. Does nothing without the mark.
void remove_owned_folder(const std::filesystem::path& folder);

// Does so for every marked folder in `parent` but `keep`. Returns how many there were.
int remove_owned_folders(const std::filesystem::path& parent, const std::string& keep = {});

}  // namespace funcpipe
