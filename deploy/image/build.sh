#!/usr/bin/env bash
# How is the image built where there is no Docker engine?
#
#     Debian's buildah, podman, runc, … (installed if absent) ──► base.sh ──► buildah bud ──► localhost/logfanout:check
#
# Fails where it cannot; never skips. Needs root, a Debian mirror and a package index. Two minutes the first time, then
# as long as the build takes.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf 'image: %s\n' "$*" >&2; }

# Program and Debian package; promtool checks compose.yaml's Prometheus and the dashboard's queries.
NEEDED=(buildah:buildah debootstrap:debootstrap podman:podman runc:runc promtool:prometheus)

install_missing() {
    local needed missing=()
    for needed in "${NEEDED[@]}"; do
        command -v "${needed%%:*}" >/dev/null || missing+=("${needed#*:}")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${missing[*]}"
    # Run level 1: what comes with a service must not start it.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    apt-get update -qq
    # --no-install-recommends: podman recommends another runtime, which does not run everywhere runc does.
    apt-get install --yes -qq --no-install-recommends "${missing[@]}" >/dev/null
}

[ "$(id -u)" = 0 ] || { say "needs root: debootstrap and chroot do"; exit 1; }
install_missing
python=$(deploy/image/base.sh "$(sed -n 's/^ARG PYTHON=//p' Dockerfile)")
say "building with Python $python"
buildah bud --isolation chroot --network host --pull-never --format docker --layers \
    --build-arg PYTHON="$python" \
    --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    --tag localhost/logfanout:check . >&2
