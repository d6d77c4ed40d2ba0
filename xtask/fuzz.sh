#!/usr/bin/env bash
# Fuzzes every target of fuzz/ for a time box: xtask/fuzz.sh [SECONDS each]
# Needs a nightly toolchain; installs cargo-fuzz below target/ when only that is missing.
# Findings stay in fuzz/artifacts; a finding becomes a file of fuzz/corpus, which the ordinary tests replay.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-60}
if [[ ! -f fuzz/Cargo.toml ]]; then
    echo "there are no fuzz targets yet (fuzz/Cargo.toml is missing)"
    exit 0
fi
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "fuzzing needs a nightly toolchain: rustup toolchain install nightly --profile minimal" >&2
    echo "the recorded corpus is replayed by make test without it" >&2
    exit 1
fi
export PATH="$PWD/target/tools/bin:$PATH"
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "installing cargo-fuzz below target/tools"
    cargo install --quiet --locked --root target/tools cargo-fuzz
fi
passed=0 failed=0
for target in $(cargo +nightly fuzz list); do
    echo "== fuzz $target for $seconds s"
    if cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "test result: $( ((failed == 0)) && echo ok || echo FAILED ). $passed passed; $failed failed; 0 ignored"
((failed == 0))
