#!/bin/sh
# One line a second, and the same number in the first sector of the disk: what was written can be checked from outside.
name=$(hostname)
n=0
while :; do
  n=$((n + 1))
  read -r up _ </proc/uptime
  echo "heartbeat $n $name up=$up"
  [ -b /dev/vda ] && echo "$n" | dd of=/dev/vda bs=512 count=1 conv=sync,fsync 2>/dev/null
  # Announces itself on its network, so that the counters of the card move.
  [ $((n % 5)) -eq 0 ] && [ -f /tmp/address ] && arping -q -c 1 -U -I eth0 "$(cat /tmp/address)"
  sleep 1
done
