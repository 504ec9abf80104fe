// Finds the Node-API functions in the program that loads the addon.
//
// An import library would name node.exe, and Windows would refuse the addon in a
// program of another name, such as an Electron app. node-gyp's answer is a
// delay-load hook, which zig's linker lacks. So every function is a jump through
// this table (node-api-imports.mjs writes the jumps), filled when Windows loads
// the addon, before any of its code runs.
#include <windows.h>

extern void* atomic_log_node_api[];
extern const char* const atomic_log_node_api_names[];

// napi_generic_failure: a program without that function refuses, and does not crash.
static int is_missing(void) { return 9; }

static FARPROC find(const char* name) {
  const char* const libraries[] = {NULL, "node.dll", "libnode.dll"};
  for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); ++i) {
    const HMODULE library = GetModuleHandleA(libraries[i]);
    const FARPROC function =
        library == NULL ? NULL : GetProcAddress(library, name);
    if (function != NULL) return function;
  }
  return (FARPROC)(void*)is_missing;
}

__attribute__((constructor)) static void find_all(void) {
  for (size_t i = 0; atomic_log_node_api_names[i] != NULL; ++i) {
    atomic_log_node_api[i] = (void*)find(atomic_log_node_api_names[i]);
  }
}
