// Folders that FuncPipe makes and later removes with everything in them. In each lies a file that says so, the mark, so
// that a folder keeps it when it is renamed, and what somebody puts in a folder's place has none; without it nothing is
// removed, whatever a folder's name is. No thread may change a folder that another one makes, marks or removes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// The mark's name in the folder. Earlier releases' emulators put a file NAME.funcpipe-made beside the folder NAME
// instead, which counts as one too.
inline constexpr std::string_view kFolderMark = ".funcpipe-made";

// Makes `folder` and every folder above it that is missing, for their owner alone (mode 0700). What exists is left as
// it is. Errors: exhausted, permission_denied.
Result<> make_private_folders(const std::filesystem::path& folder);

// Makes the folder, which must not exist, and its mark. Missing folders above it are made as by make_private_folders.
// A process that is killed meanwhile may leave the folder empty and without a mark. Errors: already_exists, exhausted,
// permission_denied.
Result<> make_owned_folder(const std::filesystem::path& folder);

// Marks a folder that is there. Errors: not_found, exhausted, permission_denied.
Result<> mark_owned_folder(const std::filesystem::path& folder);

// Whether it is a folder, not a link to one, and has its mark.
bool is_owned_folder(const std::filesystem::path& folder);

// Removes what is in the folder, then its mark, then the folder, so that whenever that ends what is left is marked.
// Does nothing without the mark. Error: permission_denied, if something in it cannot be removed.
Result<> remove_owned_folder(const std::filesystem::path& folder);

// Does so for every marked folder in `parent` but `keep`, as far as it can. Returns how many there were.
int remove_owned_folders(const std::filesystem::path& parent, const std::string& keep = {});

}  // namespace funcpipe
