#!/bin/sh
# PID 1 of namespaces of its own: a libvirtd that shares nothing with the machine's. Says "ready", then reaps.
# When it is killed, the kernel ends everything that was started in here.
set -eu
mount -t proc proc /proc
for folder in /run /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /etc/libvirt; do
  mkdir -p "$folder"
  mount -t tmpfs -o size=256m tmpfs "$folder"
done
mkdir -p /var/log/libvirt/qemu /etc/libvirt/qemu /run/lock
cat > /etc/libvirt/qemu.conf <<EOF
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
remember_owner = 0
EOF
cat > /etc/libvirt/libvirtd.conf <<EOF
auth_unix_rw = "none"
unix_sock_dir = "/run/libvirt"
host_uuid = "11111111-2222-4333-8444-555555555501"
EOF
start() {
  libvirtd --config /etc/libvirt/libvirtd.conf --pid-file /run/libvirtd.pid 2>/run/libvirtd.log &
  echo $! > /run/libvirtd-child.pid
}
start
# A restart is asked for by a signal, so that a test can end the daemon and start it again.
trap start USR1
echo ready
exec >/dev/null
while :; do
  sleep 3600 &
  wait $! || :
done
