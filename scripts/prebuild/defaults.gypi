{
  # What node-gyp adds to every addon (addon.gypi, Node's common.gypi), as far as
  # it is not about Node's own headers.
  "target_defaults": {
    "type": "loadable_module",
    "defines": ["NODE_GYP_MODULE_NAME=>(_target_name)", "BUILDING_NODE_EXTENSION"],
    "cflags": ["-O3", "-fPIC", "-pthread"]
  }
}
