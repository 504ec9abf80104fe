/** The folder of `atomic_log/atomic_log.h`, for `include_dirs` in a `binding.gyp`. */
declare const includeDirectory: string;
export = includeDirectory;
