#include "binding/wal_values.h"

#include <algorithm>

#include "binding/codes.h"
#include "binding/durable_values.h"
#include "binding/functions.h"

namespace atomic_log::binding {

using durable::Failure;
using durable::Outcome;
using durable::WalChunk;
using durable::WalEntry;
using durable::WalFileInfo;
using durable::WalReader;

namespace {

napi_value no_memory(napi_env env) {
  return failure_object(
      env, {Outcome::kIo, platform::kNoMemory, "the entries", 0, 0, ""});
}

void set_file(double* data, size_t row, const WalFileInfo& file) {
  row_of<FileField>(data, row)
      .set(FileField::kNumber, file.number)
      .set(FileField::kBaseLsn, file.base_lsn)
      .set(FileField::kBytes, file.bytes)
      .set(FileField::kEndOffset, file.end_offset);
}

}  // namespace

napi_value chunk_object(napi_env env, const WalChunk& chunk) {
  const napi_value object = new_object(env);
  const napi_value bytes =
      to_uint8_array(env, chunk.data.data(), chunk.data.size());
  double* data = nullptr;
  const napi_value index = new_float64_array(
      env, kFieldCount<EntryField> * chunk.entries.size(), &data);
  if (bytes == nullptr || index == nullptr) return no_memory(env);
  size_t row = 0;
  for (const WalEntry& entry : chunk.entries) {
    row_of<EntryField>(data, row++)
        .set(EntryField::kLsn, entry.lsn)
        .set(EntryField::kBegin, entry.begin)
        .set(EntryField::kBytes, entry.bytes)
        .set(EntryField::kBatchFirst, entry.batch_first)
        .set(EntryField::kBatchCount, entry.batch_count);
  }
  const napi_value pasts = new_float64_array(
      env, kFieldCount<PastField> * chunk.pasts.size(), &data);
  if (pasts == nullptr) return no_memory(env);
  row = 0;
  for (const durable::WalPast& past : chunk.pasts) {
    row_of<PastField>(data, row++)
        .set(PastField::kLsn, past.lsn)
        .set(PastField::kEpoch, past.epoch)
        .set(PastField::kBranch, past.branch);
  }
  set(env, object, "data", bytes);
  set(env, object, "index", index);
  set(env, object, "pasts", pasts);
  return object;
}

napi_value check_past(napi_env env, WalReader& reader,
                      const napi_value* arguments) {
  Failure failure;
  const durable::WalPast past = {
      to_offset(env, arguments[0]),
      static_cast<uint32_t>(to_offset(env, arguments[1])),
      static_cast<uint32_t>(to_offset(env, arguments[2]))};
  const Outcome outcome = reader.check_past(past, &failure);
  return outcome == Outcome::kOk ? nullptr : failure_object(env, failure);
}

void files_after(napi_env env, const WalReader& reader,
                 const napi_value* arguments) {
  Fields<FilesAfterField>(
      to_elements<double>(env, arguments[1], napi_float64_array))
      .set(FilesAfterField::kBaseLsn,
           reader.lowest_base_after(to_offset(env, arguments[0])))
      .set(FilesAfterField::kNewest, reader.newest_file())
      .set(FilesAfterField::kOldest, reader.oldest_file());
}

napi_value files_array(napi_env env, const List<WalFileInfo>& files) {
  double* data = nullptr;
  const napi_value array =
      new_float64_array(env, kFieldCount<FileField> * files.size(), &data);
  if (array == nullptr) return no_memory(env);
  for (size_t i = 0; i < files.size(); ++i) set_file(data, i, files[i]);
  return array;
}

napi_value files_array(napi_env env, const durable::WalFileList& files) {
  double* data = nullptr;
  const napi_value array =
      new_float64_array(env, kFieldCount<FileField> * files.size(), &data);
  if (array == nullptr) return no_memory(env);
  for (size_t i = 0; i < files.size(); ++i) set_file(data, i, files[i].info);
  return array;
}

napi_value read_chunk(napi_env env, WalReader& reader,
                      const napi_value* arguments) {
  WalChunk chunk;
  Failure failure;
  const Outcome outcome = reader.read(
      to_offset(env, arguments[0]), to_offset(env, arguments[1]),
      static_cast<size_t>(to_offset(env, arguments[2])), &chunk, &failure);
  return outcome == Outcome::kOk ? chunk_object(env, chunk)
                                 : failure_object(env, failure);
}

napi_value read_seek_point(napi_env env, WalReader& reader, napi_value lsn) {
  uint64_t point = 0;
  Failure failure;
  const Outcome outcome =
      reader.seek_point(to_offset(env, lsn), &point, &failure);
  return outcome == Outcome::kOk ? from_number(env, point)
                                 : failure_object(env, failure);
}

}  // namespace atomic_log::binding
