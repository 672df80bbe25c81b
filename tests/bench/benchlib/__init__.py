# benchlib - the parts of tests/bench/bench.
# SPDX-License-Identifier: MIT
