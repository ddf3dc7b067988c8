"""The compute server: runs user computations in contained processes for the node agent.

    /usr/bin/python3 -I main.py --socket PATH [--config FILE]

Needs root and Debian's python3-ipython and python3-seccomp. Prints {"ready":true} when it listens.
"""

import sys

sys.dont_write_bytecode = True  # root must not leave compiled files in an installed tree
sys.path.insert(0, __file__.rpartition("/")[0] or ".")

from wvcompute.program import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
