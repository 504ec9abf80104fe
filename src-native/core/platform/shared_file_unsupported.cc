#if !defined(__linux__) && !defined(_WIN32)

#include "core/platform/shared_file.h"

namespace atomic_log::platform {
namespace {

constexpr IoStatus kNotHere = {IoCode::kUnsupported, 0, "open"};

}  // namespace

IoStatus SharedFile::create(const std::string&, uint32_t, uint64_t,
                            std::unique_ptr<SharedFile>*) {
  return kNotHere;
}

IoStatus SharedFile::open(const std::string&, SharedAccess,
                          std::unique_ptr<SharedFile>*) {
  return kNotHere;
}

<<<<<<< HEAD
IoStatus SharedFile::create_unnamed(uint64_t, std::unique_ptr<SharedFile>*) {
  return kNotHere;
}
=======
IoStatus SharedFile::unlink(const std::string&) { return kNotHere; }
>>>>>>> 1ecb23c (Windows: the log that processes share)

BootId boot_id() { return {}; }

// No file is ever shared here, so no one needs it.
uint64_t process_id() { return 0; }

}  // namespace atomic_log::platform

#endif  // !defined(__linux__) && !defined(_WIN32)
