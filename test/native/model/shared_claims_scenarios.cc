// The claim, in two levels, and the end of a log.
#include "shared_scenarios.h"

namespace atomic_log::shared_memory {
namespace {

// Two threads of one process and one of another append in turn.
class Claims final : public SharedScenario {
 public:
  Claims()
      : SharedScenario({.processes = 2, .initial = 1, .may_refuse = false}) {
    release_claim(0);
  }

  void run(uint32_t index) override {
    const uint32_t process = index == 2 ? 1 : 0;
    claim(process);
    append(process, 2);
    release_claim(process);
  }
};

// A thread waits for the claim that another of its process has; it gets it, or
// is woken.
class ClaimWaits final : public SharedScenario {
 public:
  ClaimWaits() : SharedScenario({.processes = 1, .initial = 1}) {}

  void run(uint32_t index) override {
    if (index == 2) return;
    if (index == 0) {
      append(0, 1);
      return release_claim(0);
    }
    if (!try_claim(0)) {
      log(0).waits().add_for_claim(&flag_);
      if (!try_claim(0)) return;
      log(0).waits().remove_for_claim(&flag_);
    }
    has_claimed_ = true;
    release_claim(0);
  }

  void finish() override {
    model::check(has_claimed_ || flag_.is_woken(), "a lost wake-up");
    SharedScenario::finish();
  }

 private:
  Flag flag_;
  bool has_claimed_ = false;
};

// The claim of a process that is killed, or gives it up: who waits for it in
// another one is told.
template <bool kIsKilled>
class ClaimOfOther final : public SharedScenario {
 public:
  ClaimOfOther()
      : SharedScenario({.processes = 2, .initial = 1}), flag_(&log(1).waits()) {
    if (kIsKilled) doom(0, 0, 20);
    log(1).waits().add_for_claim(&flag_);
  }

  void run(uint32_t index) override {
    if (index == 2) return;
    if (index == 0) {
      append(0, 1);
      return release_claim(0);
    }
    log(1).waits().run();
    claim(1);
    release_claim(1);
  }

 private:
  Flag flag_;
};

// Another one gets it first, and is killed too.
class KilledClaims final : public SharedScenario {
 public:
  KilledClaims()
      : SharedScenario({.processes = 3, .initial = 1}), flag_(&log(1).waits()) {
    doom(0, 0, 4);
    doom(2, 2, 30);
    log(1).waits().add_for_claim(&flag_);
  }

  void run(uint32_t index) override {
    if (index == 0) {
      append(0, 1);
      return release_claim(0);
    }
    if (index == 2) {
      claim(2);
      return release_claim(2);
    }
    log(1).waits().run();
    claim(1);
    release_claim(1);
  }

 private:
  Flag flag_;
};

// The writer appends, ends the log and gives up the claim. Who sees the end sees
// every entry; who waits is woken, also while the claim is kept; no one claims it
// again.
template <bool kReleases>
class Ends final : public SharedScenario {
 public:
  Ends()
      : SharedScenario({.processes = 3, .initial = 1}), flag_(&log(1).waits()) {
    log(1).waits().add(&flag_, 100);
  }

  void run(uint32_t index) override {
    if (index == 0) {
      append(0, 1);
      log(0).end();
      if (kReleases) release_claim(0);
    } else if (index == 1) {
      log(1).waits().run();
    } else {
      model::check(!try_claim(2), "a claim of a log that ended");
      if (log(2).has_ended()) check_bounds(log(2), setup().initial + 1);
    }
  }

 private:
  Flag flag_;
};

}  // namespace

std::vector<ScenarioKind> claim_scenarios() {
  return {
      {"claims", "three threads of two processes append in turn", 100,
       make_scenario<Claims>},
      {"claim-waits", "one waits for the claim of its process", 100,
       make_scenario<ClaimWaits>},
      {"killed-claim", "one waits for the claim of one that is killed", 100,
       make_scenario<ClaimOfOther<true>>},
      {"given-claim", "one waits for the claim that another gives up", 100,
       make_scenario<ClaimOfOther<false>>},
      {"killed-claims", "the same, and another that gets it is killed too", 100,
       make_scenario<KilledClaims>},
      {"ends", "the end of a log", 100, make_scenario<Ends<true>>},
      {"ends-held", "the same, by a writer that keeps the claim", 100,
       make_scenario<Ends<false>>},
  };
}

}  // namespace atomic_log::shared_memory
