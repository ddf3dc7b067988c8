#!/bin/sh
# Runs once at boot. Everything echoed here stands on the serial console.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
for module in /modules/*.ko; do insmod "$module"; done
for word in $(cat /proc/cmdline); do
  case $word in
    lab.name=*) name=${word#*=} ;;
    lab.address=*) address=${word#*=} ;;
  esac
done
# A clone of the base image is told nothing: its network card, if it has one, makes its name and its address.
read -r mac 2>/dev/null </sys/class/net/eth0/address
tail=${mac#*:*:*:}
[ -n "$name" ] || name=tiny${mac:+-${tail//:/}}
[ -n "$address" ] || [ -z "$mac" ] || address=192.168.77.$((0x${mac##*:} % 254 + 1))/24
hostname "$name"
say() { read -r up _ </proc/uptime; echo "[$up] boot: $*"; }
say "Linux $(uname -r)"
say "$(hostname): $(nproc) cpu, $(awk '/^MemTotal/ {print $2}' /proc/meminfo) kB memory"
if [ -b /dev/vda ]; then say "disk vda: $(cat /sys/block/vda/size) sectors"; else say "no disk"; fi
if [ -d /sys/class/net/eth0 ]; then
  ip link set eth0 up
  [ -n "$address" ] && ip address add "$address" dev eth0 && echo "${address%/*}" >/tmp/address
  say "network eth0: ${address:-no address}"
fi
# A press on the power button is lost until acpid has opened its devices: "ready" means that it has.
acpid -f -l /dev/null &
tries=100
until ls -l /proc/$!/fd 2>/dev/null | grep -q /dev/input || [ $tries -eq 0 ]; do
  tries=$((tries - 1))
  usleep 10000
done
say "ready; Enter opens a shell"
