// Makes folders that FuncPipe later removes with everything in them. Each contains a file, its mark, that says so. A
// folder without the mark is never removed, whatever its name. The mark lies inside, so a renamed folder keeps it, and
// a folder that somebody else puts in its place has none. The functions are not safe for two threads and one folder.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// The name of the mark in its folder. Emulators of earlier releases put a file NAME.funcpipe-made beside the folder
// NAME instead; such a file counts as a mark too.
inline constexpr std::string_view kFolderMark = ".funcpipe-made";

// Makes `folder` and every missing folder above it with mode 0700, which lets only their owner in. Folders that exist
// are left as they are. Errors: exhausted, permission_denied.
Result<> make_private_folders(const std::filesystem::path& folder);

// Makes the folder, which must not exist, and its mark. Missing folders above it are made by make_private_folders. A
// process that is killed meanwhile may leave an empty folder without a mark. Errors: already_exists, exhausted,
// permission_denied.
Result<> make_owned_folder(const std::filesystem::path& folder);

// Marks a folder that exists. Errors: not_found, exhausted, permission_denied.
Result<> mark_owned_folder(const std::filesystem::path& folder);

// Returns whether `folder` is a folder, not a link to one, and has a mark.
bool is_owned_folder(const std::filesystem::path& folder);

// Removes the folder's content, then its mark, then the folder. If this is interrupted while content is left, the
// folder still has its mark. Does nothing to a folder without a mark. Error: permission_denied if something cannot be
// removed.
Result<> remove_owned_folder(const std::filesystem::path& folder);

// Calls remove_owned_folder for every marked folder in `parent` except the one named `keep`, and ignores its errors.
// Returns how many marked folders there were.
int remove_owned_folders(const std::filesystem::path& parent, const std::string& keep = {});

}  // namespace funcpipe
