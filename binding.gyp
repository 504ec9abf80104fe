{
  "variables": {
    # AddressSanitizer and UndefinedBehaviorSanitizer: node-gyp rebuild -- -Dsanitize=1
    "sanitize%": 0
  },
  "targets": [
    {
      "target_name": "atomic_log",
      "sources": [
        "src-native/binding/addon.cc",
        "src-native/binding/durable_values.cc",
        "src-native/binding/environment.cc",
        "src-native/binding/log_attachment.cc",
        "src-native/binding/mapping.cc",
        "src-native/binding/native_handle.cc",
        "src-native/binding/record_functions.cc",
        "src-native/binding/segment_reader_handle.cc",
        "src-native/binding/segment_sync.cc",
        "src-native/binding/segment_writer_handle.cc",
        "src-native/binding/waker.cc",
        "src-native/binding/wal_backup_handle.cc",
        "src-native/binding/wal_cursor_handle.cc",
        "src-native/binding/wal_handle.cc",
        "src-native/binding/wal_reader_handle.cc",
        "src-native/binding/wal_values.cc",
        "src-native/binding/writer_handle.cc",
        "src-native/core/abi/api.cc",
        "src-native/core/abi/attachment.cc",
        "src-native/core/base/check.cc",
        "src-native/core/base/cpu.cc",
        "src-native/core/base/crc32.cc",
        "src-native/core/base/crc32_arm.cc",
        "src-native/core/base/crc32_x86.cc",
        "src-native/core/durable/compression.cc",
        "src-native/core/durable/redo_file.cc",
        "src-native/core/durable/record_lanes.cc",
        "src-native/core/durable/record_scanner.cc",
        "src-native/core/durable/segment/segment_reader.cc",
        "src-native/core/durable/segment/segment_recovery.cc",
        "src-native/core/durable/segment/segment_writer.cc",
        "src-native/core/durable/segment/segment_writer_change.cc",
        "src-native/core/durable/wal/wal_backup.cc",
        "src-native/core/durable/wal/wal_classify.cc",
        "src-native/core/durable/wal/wal_classify_files.cc",
        "src-native/core/durable/wal/wal_classify_tail.cc",
        "src-native/core/durable/wal/wal_cursor.cc",
        "src-native/core/durable/wal/wal_cursors.cc",
        "src-native/core/durable/wal/wal_file_list.cc",
        "src-native/core/durable/wal/wal_files.cc",
        "src-native/core/durable/wal/wal_reserve.cc",
        "src-native/core/durable/wal/wal_format.cc",
        "src-native/core/durable/wal/wal_lanes.cc",
        "src-native/core/durable/wal/wal_log.cc",
        "src-native/core/durable/wal/wal_reader.cc",
        "src-native/core/durable/wal/wal_reader_refresh.cc",
        "src-native/core/durable/wal/wal_recovery.cc",
        "src-native/core/durable/wal/wal_rules.cc",
        "src-native/core/durable/wal/wal_salvage.cc",
        "src-native/core/durable/wal/wal_scanner.cc",
        "src-native/core/durable/wal/wal_tail.cc",
        "src-native/core/durable/wal/wal_verify.cc",
        "src-native/core/durable/wal/wal_writer.cc",
        "src-native/core/durable/wal/wal_writer_checkpoint.cc",
        "src-native/core/durable/wal/wal_writer_open.cc",
        "src-native/core/memory/block_pool.cc",
        "src-native/core/memory/blocking_wait.cc",
        "src-native/core/memory/registry.cc",
        "src-native/core/memory/rolling_log.cc",
        "src-native/core/memory/presence.cc",
        "src-native/core/memory/segment_pool.cc",
        "src-native/core/memory/storage.cc",
        "src-native/core/memory/wait_list.cc",
        "src-native/core/memory/window.cc",
        "src-native/core/platform/barrier_posix.cc",
        "src-native/core/platform/barrier_windows.cc",
        "src-native/core/platform/condition_posix.cc",
        "src-native/core/platform/condition_windows.cc",
        "src-native/core/platform/file.cc",
        "src-native/core/platform/file_posix.cc",
        "src-native/core/platform/file_windows.cc",
        "src-native/core/platform/memory_posix.cc",
        "src-native/core/platform/memory_windows.cc",
        "src-native/core/platform/module_posix.cc",
        "src-native/core/platform/module_windows.cc",
        "src-native/core/platform/pipe_posix.cc",
        "src-native/core/platform/pipe_windows.cc",
        "src-native/core/platform/thread_posix.cc",
        "src-native/core/platform/thread_windows.cc",
        "<!@(node scripts/zstd.mjs sources)"
      ],
      "include_dirs": [
        "src-native",
        "<!(node -p \"require('node-addon-api').include_dir\")"
      ],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "ATOMIC_LOG_PACKAGE_VERSION=<!(node -p \"require('./package.json').version\")",
        "<!@(node scripts/zstd.mjs defines)"
      ],
      "cflags!": ["-O2", "-std=gnu++17", "-std=gnu++20"],
      "cflags_cc!": ["-fno-rtti", "-fexceptions", "-std=gnu++17", "-std=gnu++20", "-std=c++17"],
      "cflags": ["-O2", "-fvisibility=hidden", "-fno-exceptions", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-cast-function-type"],
      "cflags_cc": ["-std=c++20", "-fvisibility-inlines-hidden", "-fno-rtti"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "CLANG_CXX_LIBRARY": "libc++",
        "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
        "GCC_ENABLE_CPP_RTTI": "NO",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      },
      "msvs_settings": {
        "VCCLCompilerTool": {
          "AdditionalOptions": ["/std:c++20"],
          "ExceptionHandling": 0
        }
      },
      "conditions": [
        ["OS=='linux'", {
          "ldflags": ["-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL", "-Wl,-z,noexecstack"],
          "libraries": ["-ldl"]
        }],
        ["OS=='linux' and sanitize==1", {
          "ldflags!": ["-static-libstdc++", "-static-libgcc"],
          "cflags": ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-g"],
          "ldflags": ["-fsanitize=address,undefined"]
        }]
      ]
    }
  ]
}
