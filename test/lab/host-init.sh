#!/bin/sh
# PID 1 of one lab host: dresses the namespaces it was started in as a machine, starts libvirt, then reaps.
# When it dies the kernel ends every process of the host, and with the last of them all its mounts.
# Says "ready" on stdout when libvirt answers; any failure ends it, with the reason on stderr.
set -eu
name=$1 host_dir=$2 images_dir=$3 boot_dir=$4 locks_dir=$5 bindfs=$6 bindfs_libraries=$7

hostname "$name"
# Copies of other namespaces' mounts would keep those alive after their end.
umount -R -l /run/netns 2>/dev/null || :
mount -t tmpfs -o mode=755,size=64m,nosuid,nodev tmpfs /run
mkdir /run/lock /run/libvirt
# A fresh /sys shows the links of this host, and no cgroups of the machine for libvirt to write to.
umount -R -l /sys
mount -t sysfs sysfs /sys
[ ! -d /var/log/journal ] || mount -t tmpfs -o size=1m tmpfs /var/log/journal

mount --bind "$host_dir/lib" /var/lib/libvirt
mount --bind "$host_dir/etc-libvirt" /etc/libvirt
mount --bind "$host_dir/log" /var/log/libvirt
mount --bind "$host_dir/cache" /var/cache/libvirt
for file in machine-id hostname hosts; do
  [ ! -f "/etc/$file" ] || mount --bind "$host_dir/$file" "/etc/$file"
done
mount --bind "$boot_dir" /var/lib/libvirt/boot
mount -o remount,bind,ro /var/lib/libvirt/boot
mount --bind "$locks_dir" /var/lib/libvirt/lockd/files
if [ -n "$bindfs" ]; then
  # Nothing may be remembered here of a file that another host writes: not its size, not its content, not its absence.
  LD_LIBRARY_PATH=$bindfs_libraries "$bindfs" \
    -o subtype=glusterfs,fsname=lab,direct_io,attr_timeout=0,entry_timeout=0,negative_timeout=0 \
    "$images_dir" /var/lib/libvirt/images
else
  mount --bind "$images_dir" /var/lib/libvirt/images
fi

# The network namespace outlives a power cut, and with it the bridge of the time before.
ip link delete br0 2>/dev/null || :
ip link add br0 type bridge
ip link set br0 addrgenmode none
ip link set br0 up

# Beside each other on one link, a host that is silent for seconds has no power; the kernel's own patience is minutes.
(echo 2 >/proc/sys/net/ipv4/tcp_syn_retries) 2>/dev/null || :
(echo 6 >/proc/sys/net/ipv4/tcp_retries2) 2>/dev/null || :

if grep -q '^lock_manager' /etc/libvirt/qemu.conf; then virtlockd --daemon; fi
libvirtd --daemon --listen
echo ready
exec >/dev/null
# Every child is collected here, also those whose parent died: a QEMU that is not reaped looks alive to libvirt.
while :; do
  sleep 3600 &
  wait $!
done
