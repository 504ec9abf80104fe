#include "core/platform/file.h"

#include <algorithm>

namespace atomic_log::platform {

std::string path_in(const std::string& directory, const std::string& name) {
#if defined(_WIN32)
  return directory + '\\' + name;
#else
  return directory + '/' + name;
#endif
}

std::string parent_of(const std::string& path) {
#if defined(_WIN32)
  const size_t separator = path.find_last_of("/\\");
#else
  const size_t separator = path.find_last_of('/');
#endif
  if (separator == std::string::npos) return ".";
  // The root's own separator is its name.
  return path.substr(0, std::max<size_t>(separator, 1));
}

IoStatus File::zero_range(uint64_t offset, uint64_t bytes) {
  static constexpr size_t kChunkBytes = size_t{1} << 16;
  static const uint8_t zeros[kChunkBytes] = {};
  while (bytes > 0) {
    const auto chunk =
        static_cast<size_t>(std::min<uint64_t>(bytes, kChunkBytes));
    const IoStatus status = write_at(offset, zeros, chunk);
    if (!status.ok()) return status;
    offset += chunk;
    bytes -= chunk;
  }
  return {};
}

IoStatus FileSystem::sync_directory(const std::string& directory) {
  std::unique_ptr<Directory> opened;
  const IoStatus status = open_directory(directory, &opened);
  return status.ok() ? opened->sync() : status;
}

IoStatus FileSystem::sync_parent(const std::string& path) {
  return sync_directory(parent_of(path));
}

bool FileSystem::may_exist(const std::string& path) {
  FileIdentity found;
  return identity(path, &found).code != IoCode::kNotFound;
}

}  // namespace atomic_log::platform
