// The steps of classify_wal(): one object for each call. What it finds and how
// it decides, wal_classify.h and wal_rules.h say; this header is for the files
// wal_classify*.cc only.
//
// One thread.
#ifndef ATOMIC_LOG_CORE_DURABLE_WAL_CLASSIFIER_H_
#define ATOMIC_LOG_CORE_DURABLE_WAL_CLASSIFIER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/durable/outcome.h"
#include "core/durable/wal/wal_classify.h"
#include "core/platform/file.h"

namespace atomic_log::durable {

class WalClassifier {
 public:
  WalClassifier(platform::FileSystem& system, const WalClassifyRequest& request,
                WalClassification* found, Failure* failure)
      : system_(system), request_(request), found_(*found), failure_(failure) {}

  Outcome run();

 private:
  struct OpenedFile {
    std::shared_ptr<platform::File> file;
    platform::FileIdentity identity;
    WalHeader header;
    uint64_t bytes = 0;
  };

  // The order of the steps, in wal_classify.cc.
  Outcome list();
  Outcome examine_top(bool is_unfinished);
  Outcome find_top(bool* is_unfinished);
  Outcome begin(uint64_t number, OpenedFile opened);
  Outcome look_again(bool* is_current);
  Outcome check_place(bool* is_there);
  bool is_of_another_log(uint64_t number, const OpenedFile& opened) const;
  Outcome go_on(bool* is_unfinished);
  Outcome replaced();
  Outcome fail(const platform::IoStatus& io, const std::string& path,
               uint64_t offset);
  std::string path_of(uint64_t number) const;
  WalCodec codec_of_top() const;
  Outcome outcome_of(const WalRule& rule) const;
  Outcome decide(WalFacts facts, uint64_t number, uint64_t offset);

  // Headers, and the chain of the files, in wal_classify_files.cc.
  Outcome examine(uint64_t number, bool is_newest, OpenedFile* opened);
  static WalFileInfo info_of(uint64_t number, const WalHeader& header,
                             uint64_t end_offset);
  Outcome link_files();
  Outcome check_base(const WalFileInfo& oldest);
  Outcome check_link(uint64_t number, const OpenedFile& older,
                     const WalHeader& next);
  Outcome verify_older();

  // The records of the newest file and their end, in wal_classify_tail.cc.
  Outcome check_unproven();
  Outcome scan_top();
  Outcome classify_end();

  platform::FileSystem& system_;
  const WalClassifyRequest& request_;
  WalClassification& found_;
  Failure* const failure_;
};

}  // namespace atomic_log::durable

#endif  // ATOMIC_LOG_CORE_DURABLE_WAL_CLASSIFIER_H_
