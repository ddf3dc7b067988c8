#!/bin/sh
# Runs a compute server with control groups mounted at a place that nobody else sees: it is started in a mount namespace
# of its own, and libvirt beside it stays without them.
# usage: compute-init.sh PLACE WISH… -- PROGRAM ARGUMENT…       WISH: v2, or the controllers of one v1 hierarchy
set -eu
place=$1
shift
mkdir -p "$place"
mount -t tmpfs -o mode=700,size=1m cgroups "$place"
while [ "$1" != -- ]; do
  if [ "$1" = v2 ]; then
    mount -t cgroup2 cgroups "$place"
  else
    mkdir "$place/$1"
    mount -t cgroup -o "$1" cgroups "$place/$1"
    # Debian mounts cpu and cpuacct as one; each is looked for by its own name.
    for controller in $(echo "$1" | tr , ' '); do
      [ -e "$place/$controller" ] || ln -s "$1" "$place/$controller"
    done
  fi
  shift
done
shift
exec "$@"
