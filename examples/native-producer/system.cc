#include "system.h"

#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

double read_ms(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e3 +
         static_cast<double>(now.tv_nsec) / 1e6;
}

}  // namespace

double monotonic_ms() { return read_ms(CLOCK_MONOTONIC); }

double thread_cpu_ms() { return read_ms(CLOCK_THREAD_CPUTIME_ID); }

Counters read_counters() {
  Counters counters;
  if (FILE* const file = std::fopen("/proc/self/statm", "r")) {
    double size = 0;
    double resident_pages = 0;
    if (std::fscanf(file, "%lf %lf", &size, &resident_pages) == 2) {
      counters.resident_bytes =
          resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
    }
    std::fclose(file);
  }
  if (FILE* const file = std::fopen("/proc/stat", "r")) {
    char name[32];
    // Of each line only its name and its first number.
    while (std::fscanf(file, "%31s", name) == 1) {
      double first = 0;
      if (std::fscanf(file, "%lf%*[^\n]", &first) != 1) break;
      if (std::strcmp(name, "ctxt") == 0) counters.context_switches = first;
      if (std::strcmp(name, "intr") == 0) counters.interrupts = first;
    }
    std::fclose(file);
  }
  return counters;
}
