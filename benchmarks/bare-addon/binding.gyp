{
  "targets": [
    {
      "target_name": "bare_addon",
      "sources": ["bare_addon.cc"],
      "defines": ["NAPI_VERSION=8"],
      "cflags_cc!": ["-O3"],
      "cflags_cc": ["-O2", "-Wall", "-Wextra"]
    }
  ]
}
