#!/usr/bin/env bash
# Where does the base image come from on a machine that reaches no registry of images?
#
#     debootstrap ──► Debian bookworm + a CPython of this machine ──► podman, under the name the Dockerfile asks for
#
# For checks alone: what is released is built on the real python:*-slim-bookworm. Prints the version to build with; does
# nothing if that base is there already. Needs root, Debian's debootstrap and podman, and a Debian mirror.
set -euo pipefail

say() { printf 'base: %s\n' "$*" >&2; }

# The version the Dockerfile asks for if this machine has it, else the newest that logfanout supports.
find_python() {
    local wanted=$1 version candidate
    for version in "$wanted" 3.14 3.13 3.12 3.11; do
        for candidate in "/usr/local/bin/python$version" "$HOME/.pyenv/versions/$version".*/bin/"python$version" \
            "$(command -v "python$version" || true)"; do
            # One whose files lie together: Debian's own is spread over /usr and cannot be copied.
            if [ -x "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.base_prefix == "/usr")' 2>/dev/null; then
                echo "$version $candidate"
                return
            fi
        done
    done
    say "no CPython 3.11 or later found that can be copied (looked for /usr/local, pyenv and the PATH)"
    return 1
}

bootstrap() {
    local root=$1 version=$2 interpreter=$3 prefix
    prefix=$("$interpreter" -c 'import sys; print(sys.base_prefix)')
    say "Debian bookworm by debootstrap (a minute)"
    # What python:*-slim-bookworm has: the libraries CPython links, certificates, time zones.
    debootstrap --variant=minbase \
        --include=ca-certificates,netbase,tzdata,libbz2-1.0,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,zlib1g \
        bookworm "$root" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; return 1; }
    say "CPython $version from $prefix"
    cp -a "$prefix/bin/python$version" "$root/usr/local/bin/"
    ln -s "python$version" "$root/usr/local/bin/python3"
    ln -s python3 "$root/usr/local/bin/python"
    find "$prefix/lib" -maxdepth 1 -name 'libpython3*.so*' -exec cp -a {} "$root/usr/local/lib/" \;
    tar -C "$prefix/lib" --exclude=site-packages --exclude=test --exclude=idlelib --exclude=tkinter --exclude=turtledemo \
        --exclude='config-*' --exclude='_tkinter*' --exclude=__pycache__ -cf - "python$version" | tar -C "$root/usr/local/lib" -xf -
    mkdir -p "$root/usr/local/lib/python$version/site-packages"
    chroot "$root" ldconfig
    # The authorities this machine trusts besides Debian's: it may reach the package index through a proxy of its owner's.
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \; 2>/dev/null || true
    chroot "$root" update-ca-certificates >/dev/null 2>&1
    # The real one has pip; that the Dockerfile removes it is a thing to check.
    chroot "$root" /usr/local/bin/python3 -m ensurepip --default-pip >/dev/null
    chroot "$root" /usr/local/bin/python3 -c 'import bz2, ctypes, lzma, readline, sqlite3, ssl, uuid, zlib'
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/*
}

main() {
    local wanted=$1 version interpreter name folder
    read -r version interpreter < <(find_python "$wanted")
    [ -n "$version" ] || exit 1
    [ "$version" = "$wanted" ] || say "there is no CPython $wanted here that can be copied: building with $version"
    # The short name of the Dockerfile's FROM finds it here before it looks in any registry.
    name="localhost/python:$version-slim-bookworm"
    if podman image exists "$name"; then
        say "$name is there"
    else
        folder=$(mktemp -d)
        # shellcheck disable=SC2064  # the folder of now, which is gone as a variable when the trap runs
        trap "rm -rf --one-file-system '$folder'" EXIT
        bootstrap "$folder/root" "$version" "$interpreter"
        tar -C "$folder/root" -cf - . | podman import --change 'CMD ["python3"]' \
            --change ENV="PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin" - "$name" >/dev/null
        say "imported as $name"
    fi
    echo "$version"
}

main "${1:?which Python the Dockerfile asks for, such as 3.13}"
