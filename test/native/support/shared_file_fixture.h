// Files that several handles have open, on every system.
#ifndef ATOMIC_LOG_TEST_NATIVE_SUPPORT_SHARED_FILE_FIXTURE_H_
#define ATOMIC_LOG_TEST_NATIVE_SUPPORT_SHARED_FILE_FIXTURE_H_

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "core/platform/shared_file.h"

namespace atomic_log::test {

// A new one, with its name.
inline std::unique_ptr<platform::SharedFile> make_shared_file(
    const std::string& path, size_t bytes, uint32_t mode = 0600) {
  std::unique_ptr<platform::SharedFile> file;
  REQUIRE(platform::SharedFile::create(path, mode, bytes, &file).ok());
  REQUIRE(file->link(path).ok());
  return file;
}

inline std::unique_ptr<platform::SharedFile> open_shared_file(
    const std::string& path,
    platform::SharedAccess access = platform::SharedAccess::kReadWrite) {
  std::unique_ptr<platform::SharedFile> file;
  REQUIRE(platform::SharedFile::open(path, access, &file).ok());
  return file;
}

inline std::shared_ptr<platform::SharedMapping> map_all(
    platform::SharedFile& file) {
  uint64_t bytes = 0;
  REQUIRE(file.size(&bytes).ok());
  std::shared_ptr<platform::SharedMapping> mapping;
  REQUIRE(file.map(bytes, &mapping).ok());
  return mapping;
}

}  // namespace atomic_log::test

#endif  // ATOMIC_LOG_TEST_NATIVE_SUPPORT_SHARED_FILE_FIXTURE_H_
