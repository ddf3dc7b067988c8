"""The compute server of a WebVirt host.

Outside the containment (root):   program, server, session, pool, zygotes, child, cgroup*, selftest
Between (root, in its own jail):  zygote, jail, contain
Inside (a user's uid, no rights): first (process 1), kernel and shell (process 2), probes
To add a kernel: a module with `load() -> Shell` beside shell.py, and its name in kernels.py.
"""
