import type { NewLine } from '../../common/model/line.ts';
import { SETTLE_VERB } from '../../common/wire/migration.ts';
import type { ManagerServiceMessage } from '../../common/wire/services.ts';

/** After its end the last words of libvirt and QEMU still come. Milliseconds. */
const LINGER_MS = 3_000;
/** A manager that never closes a scope must not make every later line part of an old job. */
const LONGEST_MS = 24 * 3_600_000;

export interface Scope {
  opId: string;
  instance: string;
  name: string;
}

interface Open extends Scope {
  end: NodeJS.Timeout;
}

/** Which instances are part of a job that spans hosts: their lines carry it, whoever writes them. */
export interface Scopes {
  open(scope: Scope): void;
  /** The scope stays a moment longer for what comes late. */
  close(instance: string, opId: string): void;
  /** Adds job and instance to a line that belongs to a scope; every line of the agent goes through here. */
  mark(line: NewLine): NewLine;
  /** True for the name of an instance that has a scope. */
  moving(name: string): boolean;
  /** Hears the lines about an instance that has a scope. Returns how to stop. */
  on(instance: string, handler: (line: NewLine) => void): () => void;
  /** The manager opens and closes scopes over the link: the other side of a migration. */
  service: {
    takes: readonly ['scope'];
    attach(): { take(message: ManagerServiceMessage): void; detach(): void };
  };
  stop(): void;
}

export function createScopes(): Scopes {
  const scopes = new Map<string, Open>();
  const handlers = new Map<string, Set<(line: NewLine) => void>>();

  function drop(instance: string, opId: string, afterMs: number): void {
    const scope = scopes.get(instance);
    if (scope === undefined || scope.opId !== opId) return;
    clearTimeout(scope.end);
    scope.end = setTimeout(() => scopes.get(instance) === scope && scopes.delete(instance), afterMs);
    scope.end.unref();
  }

  function open(scope: Scope): void {
    clearTimeout(scopes.get(scope.instance)?.end);
    scopes.set(scope.instance, { ...scope, end: setTimeout(() => undefined, 0) });
    drop(scope.instance, scope.opId, LONGEST_MS);
  }

  /** The log of a QEMU and the first events come before the instance is in any list: its name tells then. */
  function scopeOf(line: NewLine): Open | undefined {
    if (line.instance !== undefined) return scopes.get(line.instance);
    if (line.source !== 'qemu' && line.source !== 'libvirt' && line.source !== 'console') return undefined;
    const name = line.source === 'libvirt' ? line.fields?.['name'] : line.unit;
    for (const scope of scopes.values()) if (scope.name === name) return scope;
    return undefined;
  }

  return {
    open,
    close: (instance, opId) => drop(instance, opId, LINGER_MS),
    mark(line) {
      const scope = scopes.size === 0 ? undefined : scopeOf(line);
      if (scope === undefined) return line;
      // A step that the manager has done on one side is journalled under an id of its own, and part of the same story.
      const own = line.job !== undefined && line.fields?.['verb'] !== SETTLE_VERB;
      const marked = { ...line, instance: scope.instance, ...(own ? {} : { job: scope.opId }) };
      for (const handler of [...(handlers.get(scope.instance) ?? [])]) handler(marked);
      return marked;
    },
    moving: (name) => [...scopes.values()].some((scope) => scope.name === name),
    on(instance, handler) {
      const set = handlers.get(instance) ?? new Set();
      handlers.set(instance, set.add(handler));
      return () => {
        set.delete(handler);
        if (set.size === 0 && handlers.get(instance) === set) handlers.delete(instance);
      };
    },
    service: {
      takes: ['scope'],
      attach: () => ({
        take(message) {
          if (message.t !== 'scope') return;
          if (message.open) open(message);
          else drop(message.instance, message.opId, LINGER_MS);
        },
        // A link that went is no end of the job.
        detach: () => undefined,
      }),
    },
    stop() {
      for (const { end } of scopes.values()) clearTimeout(end);
      scopes.clear();
    },
  };
}
