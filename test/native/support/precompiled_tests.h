// What most tests include, for builds that read it once (Makefile).
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "support/precompiled.h"
