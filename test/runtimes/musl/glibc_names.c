// What Debian's libstdc++ and libgcc want of glibc and musl lacks. With this in
// place of glibc's loader they serve Bun's build for musl, which needs a libstdc++
// that Debian has not for musl.
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/random.h>
#include <time.h>

// Always the careful way.
char __libc_single_threaded = 0;
unsigned __cpu_model[4];
void __cpu_indicator_init(void) {}
// Not found: libgcc goes on with dl_iterate_phdr().
int _dl_find_object(void* address, void* result) { return -1; }
// Objects of threads are not destroyed; the tests do not wait for that.
int __cxa_thread_atexit_impl(void (*destroy)(void*), void* object, void* library) { return 0; }
uint32_t arc4random(void) {
  uint32_t value;
  getrandom(&value, sizeof(value), 0);
  return value;
}
size_t __strftime_l(char* to, size_t size, const char* format, const struct tm* time, locale_t locale) {
  return strftime_l(to, size, format, time, locale);
}
