import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { virshEnvironment } from '../libvirt/virsh-children.ts';
import { isUuid } from '../libvirt/virsh-words.ts';

/**
 * Why `virsh console` behind a few lines of Python, and not the guest's /dev/pts/N opened here:
 * - libvirt gives a console to one reader and refuses the next. Two who open the path itself share its bytes at random,
 *   and one of them could be an admin with `virsh console` on the host.
 * - It works wherever libvirt works: a console that is a unix socket, a libvirtd in namespaces of its own, an agent that
 *   is no root.
 * - Node writes to terminals synchronously: a guest that does not read its keys would stop the whole agent.
 * virsh wants a terminal for its keys, and a pseudo-terminal cannot be made in Node without native code; Python has it,
 * and a host needs Python for computations anyway. Only keys go through it: what the guest prints comes from virsh's own
 * standard output.
 *
 * virsh leaves when a chunk of keys begins with its escape character. 0xFF never occurs in UTF-8, so no key is lost to it.
 */
const BRIDGE = `
import fcntl, os, resource, select, signal, sys, termios, time, tty
LEAVE = b"\\xff"
LIMIT = 512 * 1024 * 1024
argv = [LEAVE if word == "LEAVE" else os.fsencode(word) for word in sys.argv[1:]]
master, slave = os.openpty()
tty.setraw(slave)
child = os.fork()
if child == 0:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    os.dup2(slave, 0)
    os.close(slave)
    # virsh keeps without bound what it cannot write.
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, b"error: " + argv[0] + b": " + os.fsencode(str(error.strerror)))
    os._exit(127)
os.close(slave)
os.set_blocking(master, False)

def end(status):
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)

def leave():
    try:
        os.write(master, LEAVE)
    except OSError:
        pass
    for _ in range(100):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            end(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    end(os.waitpid(child, 0)[1])

keys = b""
poll = select.poll()
while True:
    poll.register(0, 0 if keys else select.POLLIN)
    poll.register(master, select.POLLIN | (select.POLLOUT if keys else 0))
    for fd, what in poll.poll():
        if fd == 0 and what & select.POLLIN:
            keys = os.read(0, 4096)
            if not keys:
                leave()
        elif fd == 0 and what & (select.POLLHUP | select.POLLERR):
            leave()
        elif fd == master and what & ~select.POLLOUT:
            try:
                os.read(master, 4096)
            except BlockingIOError:
                pass
            except OSError:
                end(os.waitpid(child, 0)[1])
        elif fd == master:
            try:
                keys = keys[os.write(master, keys):]
            except BlockingIOError:
                pass
            except OSError:
                end(os.waitpid(child, 0)[1])
`;

const LIMIT_WAITING_KEYS_BYTES = 64 * 1024;
const LIMIT_STDERR_CHARS = 4_096;

export interface BridgeConfig {
  virshPath: string;
  /** A Python 3; looked for in the system's folders when it is no path. */
  pythonPath: string;
}

export interface Bridge {
  /** Sends keys. False when the guest takes none and too many wait: these are dropped. */
  write(keys: string): boolean;
  /** Gives the console back; `onEnd` follows. */
  end(): void;
}

export interface BridgeHandlers {
  onData(bytes: Buffer): void;
  /** Called once. `said` is what virsh had to say; empty for an end without an error. */
  onEnd(said: string): void;
}

/** Opens the serial console of a running domain, by its UUID. `force` takes it from whoever has it. */
export function openBridge(
  config: BridgeConfig,
  { uri, id, force }: { uri: string; id: string; force: boolean },
  on: BridgeHandlers,
): Bridge {
  if (!isUuid(id)) throw new TypeError('a console is opened by UUID only');
  const virsh = ['-q', '-e', 'LEAVE', '-c', uri, 'console', ...(force ? ['--force'] : []), '--', id];
  const argv = ['-I', '-S', '-c', BRIDGE, config.virshPath, ...virsh];
  const child: ChildProcessWithoutNullStreams = spawn(config.pythonPath, argv, {
    env: virshEnvironment(),
    stdio: 'pipe',
    cwd: '/',
  });
  let said = '';
  let ended = false;
  const finish = (text: string) => {
    if (ended) return;
    ended = true;
    on.onEnd(text);
  };
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (bytes: Buffer) => {
    if (!ended) on.onData(bytes);
  });
  child.stderr.on('data', (bytes: Buffer) => {
    if (said.length < LIMIT_STDERR_CHARS) said += String(bytes);
  });
  child.once('error', (error: NodeJS.ErrnoException) =>
    finish(error.code === 'ENOENT' ? `${config.pythonPath} is not installed` : error.message),
  );
  child.once('close', () => finish(said.trim()));
  return {
    write(keys) {
      if (ended || child.stdin.writableEnded || child.stdin.writableLength > LIMIT_WAITING_KEYS_BYTES) return false;
      child.stdin.write(keys);
      return true;
    },
    end() {
      if (!child.stdin.writableEnded) child.stdin.end();
    },
  };
}
