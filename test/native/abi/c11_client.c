#include "atomic_log/atomic_log.h"

#include "abi/clients.h"

static double* column(const unsigned char* block, const atomic_log_info* info) {
  return (double*)(uintptr_t)(block + info->columns[0].offset);
}

atomic_log_status c11_produce(const atomic_log_handle* handle, uint32_t count) {
  const atomic_log_api* api = handle->api;
  atomic_log_log* log = 0;
  atomic_log_writer* writer = 0;
  atomic_log_status status = api->attach(handle, &log);
  if (status != ATOMIC_LOG_OK) return status;
  const atomic_log_info* info = api->info(log);
  status = api->claim(log, &writer);
  for (uint32_t i = 0; i < count && status == ATOMIC_LOG_OK; ++i) {
    uint32_t position = writer->published;
    if (position == writer->capacity) {
      status = api->roll(writer, position);
      if (status != ATOMIC_LOG_OK) break;
      position = 0;
    }
    column(writer->block, info)[position] =
        (double)(writer->first_index + position);
    api->publish(writer, position + 1);
  }
  if (writer != 0) {
    api->end(writer);
    api->unclaim(writer);
  }
  api->release(log);
  return status;
}

atomic_log_status c11_sum(const atomic_log_handle* handle, double* sum) {
  const atomic_log_api* api = handle->api;
  atomic_log_log* log = 0;
  atomic_log_snapshot* snapshot = 0;
  atomic_log_status status = api->attach(handle, &log);
  if (status != ATOMIC_LOG_OK) return status;
  const atomic_log_info* info = api->info(log);
  status = api->wait(log, UINT64_C(1) << 52, UINT64_MAX);
  if (status == ATOMIC_LOG_ENDED) status = api->snapshot(log, &snapshot);
  if (snapshot != 0) {
    *sum = 0;
    for (uint32_t c = 0; c < snapshot->chunk_count; ++c) {
      const atomic_log_chunk* chunk = &snapshot->chunks[c];
      const double* values = column(chunk->block, info);
      for (uint32_t i = 0; i < chunk->length; ++i) *sum += values[i];
    }
    api->close(snapshot);
  }
  api->release(log);
  return status;
}
