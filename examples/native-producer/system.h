// What this machine and this process are doing: cheap clocks for every record,
// and counters from /proc that are read a hundred times a second.
#ifndef TELEMETRY_SYSTEM_H_
#define TELEMETRY_SYSTEM_H_

#include <cstdint>

// Milliseconds of CLOCK_MONOTONIC, which is process.hrtime in JavaScript.
double monotonic_ms();

// Milliseconds of processor time that the calling thread has used.
double thread_cpu_ms();

struct Counters {
  double resident_bytes = 0;    // of this process
  double context_switches = 0;  // of the machine since it started
  double interrupts = 0;        // the same
};

// Zeros where there is no /proc.
Counters read_counters();

#endif  // TELEMETRY_SYSTEM_H_
