import Backbone from 'backbone';
import type { Me } from '../../../common/model/access.ts';
import type { Line } from '../../../common/model/line.ts';
import type { SampleSeries } from '../../../common/model/sample.ts';
import { DESTRUCTIVE_ACTIONS } from '../../../common/model/words.ts';
import { copyText } from '../dom/copy.ts';
import type { createTheme } from '../dom/theme.ts';
import { Batches } from '../models/batches.ts';
import { Connection } from '../models/connection.ts';
import { JobTraces, recordTraces } from '../models/job-traces.ts';
import { announceJobs, Notices } from '../models/notices.ts';
import { createModels, listsOf } from '../models/nouns.ts';
import type { PageDeps } from '../models/page-deps.ts';
import { Pending } from '../models/pending.ts';
import { announceRules } from '../models/rules.ts';
import { SampleHistory } from '../models/sample-history.ts';
import { StreamLook } from '../models/stream-look.ts';
import { createActions } from '../net/actions.ts';
import type { Api } from '../net/api.ts';
import { createCompute } from '../net/compute.ts';
import { earlyList } from '../net/early.ts';
import { createFacetSources } from '../net/facet-source.ts';
import { createFeed } from '../net/feed.ts';
import { createFollows } from '../net/follows.ts';
import { createHistogramSources } from '../net/histogram-source.ts';
import { createLineSources } from '../net/line-source.ts';
import { rowsOf } from '../net/list-sync.ts';
import { createOperations } from '../net/operations.ts';
import { createRuleCalls } from '../net/rules.ts';
import { followSamples } from '../net/samples.ts';
import { createSearchCalls } from '../net/saved-searches.ts';
import { createSerialConsoles } from '../net/serial-console.ts';
import { createSocket } from '../net/socket.ts';
import { createStoredLines } from '../net/stored-lines.ts';
import type { Router } from '../router.ts';
import { pages } from '../views/pages/create-page.ts';
import { loadRest } from '../views/pages/late-pages.ts';
import { ConfirmDialog } from '../views/shell/confirm-dialog.ts';
import { listenKeys } from '../views/shell/keys.ts';
import { Palette } from '../views/shell/palette.ts';
import { Shell } from '../views/shell/shell.ts';
import { createDialogs } from './dialogs.ts';

const SPARK_POINTS = 720;
const TRACED_JOBS = 40;
const TRACE_POINTS = 1_200;

export interface Running {
  stop(): void;
}

export interface ConsoleParts {
  root: HTMLElement;
  api: Api;
  router: Router;
  theme: ReturnType<typeof createTheme>;
  me: Me;
  onSignedOut: (reason: string | null) => void;
}

/** Everything behind the sign-in form: the only place that knows all parts. */
export function startConsole({ root, api, router, theme, me, onSignedOut }: ConsoleParts): Running {
  root.className = '';
  const models = createModels();
  const connection = new Connection();
  const notices = new Notices();
  const pending = new Pending();
  const batches = new Batches();
  const traces = new JobTraces(TRACED_JOBS, TRACE_POINTS);
  const history = new SampleHistory(SPARK_POINTS);
  const nowMs = () => Date.now() + api.clockOffsetMs();
  const socket = createSocket();
  const feed = createFeed({
    socket,
    connection,
    lists: listsOf(models),
    onSignedOut: () => onSignedOut('Your session has ended. Sign in again; you will return to where you were.'),
  });
  const actions = createActions({ api, jobs: models.jobs, pending, notices, batches });

  const look = new StreamLook(window.localStorage);

  const deps: PageDeps = {
    look,
    facets: createFacetSources({ api, nowMs, openFields: () => look.state.openFacets }),
    searches: createSearchCalls({ api, me: me.email }),
    stored: createStoredLines(api),
    models,
    connection,
    pending,
    history,
    traces,
    operations: createOperations(api),
    follow: createFollows({ feed, models }),
    compute: createCompute({ api, feed, notices, storage: window.sessionStorage }),
    serial: createSerialConsoles(socket),
    rules: createRuleCalls({ api, feed }),
    dialogs: createDialogs({ parent: () => shell, deps: () => deps, notices }),
    nowMs,
    lines: createLineSources({ api, feed, keepLines: () => look.state.keepLines }),
    histograms: createHistogramSources({ api, nowMs }),
    go: (place, replace) => router.go(place, replace),
    act(instances, action) {
      const send = () => void actions.act(instances, action);
      if (!DESTRUCTIVE_ACTIONS.includes(action)) return send();
      new ConfirmDialog({ parent: shell, instances, action, onConfirm: send }).open();
    },
    cancelJob: (id) => void actions.cancelJob(id),
    enrol: actions.enrol,
    scan: actions.scan,
    copy: (text, what) =>
      void copyText(text).then((done) =>
        notices.say({
          kind: done ? 'good' : 'bad',
          title: done ? `${what} copied` : 'The browser did not allow to copy',
          text: '',
          href: null,
          id: 'copy',
        }),
      ),
    openJobs: () => shell.openJobs(),
    onTheme: theme.onChange,
    context: async (id, sameHost) => {
      const query = new URLSearchParams({ before: '100', after: '100', ...(sameHost ? { sameHost: 'true' } : {}) });
      return rowsOf(
        await api.get<unknown>(`/api/v1/logs/${encodeURIComponent(id)}/context?${query}`),
      ) as unknown as Line[];
    },
    curve: async (kind, id, fromMs) => {
      const query = new URLSearchParams({ kind, ids: id, from: String(Math.floor(fromMs)), points: '300' });
      const answer = await api.get<unknown>(`/api/v1/samples?${query}`).catch(() => null);
      for (const series of rowsOf(answer) as unknown as SampleSeries[]) history.load(series);
    },
  };

  const openHelp = async () => {
    const help = await import('../views/shell/help-dialog.ts').catch(() => null);
    if (help !== null && document.querySelector('dialog[open]') === null) new help.HelpDialog({ parent: shell }).open();
  };
  const nextTheme = () => {
    theme.next();
    shell.rail.redraw();
  };
  const openPalette = () =>
    void new Palette({
      parent: shell,
      models,
      go: (place) => router.go(place),
      nextTheme,
      openHelp: () => void openHelp(),
      dialogs: deps.dialogs,
    }).open();
  const shell = new Shell({
    parent: null,
    deps,
    models,
    notices,
    pages,
    email: me.email,
    version: me.version,
    theme: theme.choice,
    nextTheme,
    openHelp,
    openPalette,
    signOut: () => void api.post('/api/v1/sign-out').finally(() => onSignedOut(null)),
  });

  const stopKeys = listenKeys({
    go: (place) => router.go(place),
    openJobs: () => shell.toggleJobs(),
    closeDrawer: () => {
      const open = shell.drawer !== null;
      shell.closeJobs();
      return open;
    },
    openHelp,
    openPalette,
    nextTheme,
    launch: () => deps.dialogs.launch(),
    focusSearch: () => {
      const field = shell.page?.searchField() ?? null;
      field?.focus();
      field?.select();
      return field !== null;
    },
    pageKey: (key) => shell.page?.onKey(key) ?? false,
  });
  const stopAnnouncing = announceJobs(models.jobs, notices, batches);
  const stopRules = announceRules(models.rules, notices);
  recordTraces(models.jobs, traces, nowMs);
  followSamples({ api, models, history, nowMs });
  feed.start();
  const early = earlyList();
  // A failure is told by the live road, which asks for the same.
  if (early !== null)
    void api.get<unknown>(early).then(
      (body) => feed.seed(early, body),
      () => undefined,
    );
  shell.listenTo(router, 'place', (place) => shell.show(place));
  root.replaceChildren(shell.el);
  if (!Backbone.history.start()) router.any();
  loadRest();

  return {
    stop() {
      Backbone.history.stop();
      stopKeys();
      stopAnnouncing();
      stopRules();
      feed.stop();
      shell.destroy();
    },
  };
}
