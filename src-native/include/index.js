// The folder for `include_dirs` of an addon that produces or consumes logs:
//   "<!(node -p \"require('atomic-log/include')\")"
'use strict';

module.exports = __dirname;
