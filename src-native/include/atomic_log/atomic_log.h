/* Native producers and consumers of atomic-log: include this one.
 *
 * In C it is the interface of abi.h. In C++17 and later it also is the wrapper:
 * Log, Writer, Snapshot and Reader, in the namespace atomic_log::native. For
 * what JavaScript hands over, include node_api.h of this folder too. */
#ifndef ATOMIC_LOG_ATOMIC_LOG_H_
#define ATOMIC_LOG_ATOMIC_LOG_H_

#include "abi.h"

#ifdef __cplusplus
#include "log.h"
#include "reader.h"
#include "writer.h"
#endif

#endif /* ATOMIC_LOG_ATOMIC_LOG_H_ */
