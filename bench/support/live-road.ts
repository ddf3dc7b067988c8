import { callRoute } from '../../manager/http/call-route.ts';
import { mustBeAllowed } from '../../manager/http/guard.ts';
import { hostAllowList } from '../../manager/http/host-names.ts';
import { readQuery } from '../../manager/http/query.ts';
import { canonicalPath } from '../../manager/http/request-path.ts';
import { isSocketOriginAllowed } from '../../manager/http/same-origin.ts';
import { startWorld } from '../../manager/live/testing.ts';
import { columnsOf, lineAt } from '../../manager/store/line-columns.ts';
import { wallOffsetMs } from './clock.ts';
import { talkText } from './talk.ts';

/** About what the store's commits are apart at this rate. */
const COMMIT_EVERY_MS = 6;

/** The live road alone, in a process of its own: lines are told as committed and stand in no store. Over IPC as an agent. */
const world = await startWorld({
  batches: { columnsOf, lineAt },
  http: { routes: [], ...{ callRoute, readQuery, canonicalPath } },
  guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'bench'), isOriginAllowed: isSocketOriginAllowed },
});
const offsetMs = wallOffsetMs();

process.on('message', ({ perMs, seconds }: { perMs: number; seconds: number }) => {
  const calls: number[] = [];
  const total = perMs * seconds * 1_000;
  const startedMs = performance.now();
  // What the list of the stand-in holds is of no use to anybody here.
  world.lines.stored.length = 0;
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor((performance.now() - startedMs) * perMs));
    const lines: { message: string }[] = [];
    while (calls.length < due) {
      const callMs = offsetMs + performance.now();
      lines.push({ message: talkText(calls.length, Math.round(callMs * 1_000)) });
      calls.push(callMs);
    }
    if (lines.length > 0) world.lines.commit(lines);
    if (calls.length < total) return;
    clearInterval(timer);
    process.send?.({ calls });
  }, COMMIT_EVERY_MS);
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url: world.url, token: 'wv_admin' });
