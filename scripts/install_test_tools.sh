#!/bin/sh
# Installs what the tests need from the system's packages, where it is missing: Node.js
# with npm (Anvil, forge and solc come from npm) and Chromium with its driver.
# `install_test_tools.sh node` installs the first only.
set -eu

missing=""
command -v npm >/dev/null 2>&1 || missing="nodejs npm"
if [ "${1:-all}" = all ]; then
    if ! command -v chromium >/dev/null 2>&1 || ! command -v chromedriver >/dev/null 2>&1; then
        missing="$missing chromium chromium-driver"
    fi
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "the tests need: $missing" >&2
    echo "install them by this system's own means and run make test again" >&2
    exit 1
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
$as_root apt-get update -qq
# $missing is a list of words
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing
