#!/bin/sh
read -r up _ </proc/uptime
echo "[$up] power button pressed: shutting down" >/dev/console
sync
poweroff -f
