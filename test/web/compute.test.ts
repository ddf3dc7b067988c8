import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NumberedEvent } from '../../common/model/compute.ts';
import { computeAbsent, type RunningComputeServer, startComputeServer } from '../support/compute-server.ts';
import { untilBody } from '../support/live.ts';
import { PASSWORD, type Stack, startStack } from '../support/stack.ts';
import { launchBrowser, type WatchedPage, watchedPage } from './browser.ts';
import { PAYLOADS, RAW } from './payloads.ts';

// The Compute page as it is shipped, on the real manager, agent and compute server: one story, told in order.

const absent = computeAbsent();
const MIB = 1024 ** 2;
/** Each kind of payload, not each of a kind: every one of them is a formula, a page and two lines here. */
const HOSTILE = PAYLOADS.filter((_, index) => index < 2 || index % 3 === 0);

let server: RunningComputeServer;
let stack: Stack;
let browser: Browser;
let console_: WatchedPage;
let page: Page;

async function signedIn(place: string): Promise<WatchedPage> {
  const watched = await watchedPage(await browser.newContext({ viewport: { width: 1_280, height: 860 } }));
  await watched.page.goto(`${stack.url}/#${place}`);
  await watched.page.locator('#email').fill('admin@localhost');
  await watched.page.locator('#password').fill(PASSWORD);
  await watched.page.keyboard.press('Enter');
  await watched.page.locator('.rail').waitFor();
  return watched;
}

/** Types code into the focused cell and runs it. */
async function run(code: string, keys = 'Shift+Enter'): Promise<void> {
  await page.keyboard.insertText(code);
  await page.keyboard.press(keys);
}

const cell = (number: number, on = page) =>
  on.locator('.cell').filter({ has: on.locator('.cell-number', { hasText: new RegExp(`^${number}$`) }) });
const ended = (number: number, how = 'ok') =>
  cell(number)
    .and(page.locator(`.is-${how}`))
    .waitFor();

/** Code and output of each cell that was run, as it stands on the screen. */
const seen = (on: Page) =>
  on.evaluate(() =>
    [...document.querySelectorAll('.cell')]
      .filter((el) => el.querySelector('.cell-number')!.textContent!.trim() !== '')
      .map((el) => ({
        // An editor draws only the lines near the screen; the first is always there.
        code: el.querySelector('.code-editor div')!.shadowRoot!.querySelector('.cm-line')!.textContent,
        output: [...el.querySelectorAll('.cell-output pre, .cell-output .out-error-head')].map(
          (pre) => pre.textContent,
        ),
      })),
  );

describe.skipIf(absent !== null)('computations in the console', () => {
  beforeAll(async () => {
    server = await startComputeServer({
      config: { kernels: ['python'], pool: { python: 1 }, limits: { memoryBytes: 128 * MIB } },
    });
    const [started, launched] = await Promise.all([
      startStack({ agent: { WEBVIRT_AGENT_COMPUTE_SOCKET: server.socketPath } }),
      launchBrowser(),
    ]);
    [stack, browser] = [started, launched];
    await untilBody<{ state: string }[]>(stack.socket(), '/api/v1/compute/servers', ([one]) => one?.state === 'ready');
    console_ = await signedIn('/compute');
    page = console_.page;
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    await server?.stop();
  });

  it('starts a session by one click and runs code by Shift-Enter', async () => {
    await page.getByRole('button', { name: /^New Python/ }).focus();
    await page.keyboard.press('Enter');
    // The cursor stands in the first cell: nothing has to be clicked.
    await page.locator('.cm-content:focus').waitFor();
    await run('import sys\nprint("to you")\nprint("to stderr", file=sys.stderr)\n6*7');
    await ended(1);
    const out = cell(1).locator('.cell-output');
    await expect.poll(() => out.locator('.out-stdout pre').textContent()).toBe('to you\n');
    await expect.poll(() => out.locator('.out-stderr').textContent()).toMatch(/stderr\s+to stderr/);
    await expect.poll(() => out.locator('.out-result pre').textContent()).toBe('42');
  });

  it('streams what is written while it runs, and interrupts it by Ctrl-C twice', async () => {
    await run('import time\nprint("first", flush=True)\nwhile True: time.sleep(0.01)');
    await cell(2).locator('.out-stdout pre', { hasText: 'first' }).waitFor();
    expect(await cell(2).getAttribute('class')).toContain('is-running');
    await page.keyboard.press('Control+c');
    await page.getByText('Ctrl C again interrupts').waitFor();
    await page.keyboard.press('Control+c');
    await ended(2, 'interrupted');
  });

  it('completes a word by Tab', async () => {
    await page.keyboard.insertText('time.perf');
    await page.keyboard.press('Tab');
    await page.locator('.cm-tooltip-autocomplete li', { hasText: 'perf_counter_ns' }).waitFor();
    await page.keyboard.press('Tab');
    await run('() > 0');
    await ended(3);
    await expect.poll(() => cell(3).locator('.out-result pre').textContent()).toBe('True');
  });

  it('draws a picture, and folds a traceback', async () => {
    await run(
      [
        'import struct, zlib',
        'from IPython.display import Image, display',
        'def part(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))',
        'rows = b"".join(b"\\0" + b"\\x0a\\x14\\x1e" * 4 for _ in range(3))',
        'head = struct.pack(">IIBBBBB", 4, 3, 8, 2, 0, 0, 0)',
        'display(Image(b"\\x89PNG\\r\\n\\x1a\\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")))',
        'def deep(n): return 1/n if n == 0 else deep(n - 1)',
        'deep(3)',
      ].join('\n'),
    );
    await ended(4, 'error');
    const pixel = () =>
      cell(4)
        .locator('canvas')
        .evaluate((canvas: HTMLCanvasElement) => [
          canvas.width,
          canvas.height,
          ...canvas.getContext('2d')!.getImageData(1, 1, 1, 1).data,
        ]);
    await expect.poll(pixel).toEqual([4, 3, 10, 20, 30, 255]);
    await cell(4).getByText('ZeroDivisionError: division by zero').waitFor();
    expect(await cell(4).locator('.out-error pre').count()).toBe(0);
    await cell(4)
      .getByRole('button', { name: /Traceback/ })
      .click();
    await cell(4).locator('.out-error pre', { hasText: 'in deep' }).waitFor();
    await page.locator('.cell').last().locator('.cm-content').click();
  });

  it('shows hostile output as text: no dialog, no breach of the policy, no element of its own', async () => {
    const elements = () => page.evaluate(() => document.querySelectorAll('.notebook script, iframe').length);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await run(
      [
        'import json, sys',
        'from IPython.display import HTML, SVG, Latex, display',
        `texts = json.loads(${JSON.stringify(JSON.stringify(HOSTILE))})`,
        'for text in texts:',
        '    clean = text.encode("utf-8", "replace").decode()',
        '    print(clean); print(clean, file=sys.stderr); display(HTML(clean)); display(Latex(clean))',
        'ns = "xmlns=\'http://www.w3.org/2000/svg\'"',
        'active = "<style>@import \'//192.0.2.1/a.css\'; text { font-family: x }</style><script>alert(1)</script>"',
        "pulled = \"<image href='/favicon.svg?pulled'/><foreignObject><iframe src='/?framed'></iframe></foreignObject><a href='javascript:alert(1)'><text>x</text></a>\"",
        "display(SVG(f\"<svg {ns} width='40' height='30' onload='alert(1)'>{active}{pulled}<rect width='40' height='30' fill='#0a141e' filter='url(//192.0.2.1/b.svg#c)' onclick='alert(1)'/></svg>\"))",
        'twice = "".join(f"<g id=\'a{n+1}\'>" + f"<use href=\'#a{n}\'/>" * 10 + "</g>" for n in range(9))',
        'display(SVG(f"<svg {ns}><g id=\'a0\'/>{twice}</svg>")); display({"image/svg+xml": "<svg>no drawing"}, raw=True)',
        'raise ValueError(texts[1])',
      ].join('\n'),
    );
    await ended(5, 'error');
    await cell(5).locator('.out-error-head', { hasText: '<img src=x onerror=alert(1)>' }).waitFor();
    await cell(5).evaluate((el) => {
      for (const button of el.querySelectorAll<HTMLElement>('.out-note [aria-expanded]')) button.click();
    });
    await expect.poll(() => cell(5).getByText('HTML is not drawn here').count()).toBe(HOSTILE.length);
    expect(await elements()).toBe(0);
    // A drawing is an image, in which nothing runs and from which nothing is fetched; one that multiplies itself, or is
    // none, is its source.
    const drawing = cell(5).locator('img.out-picture');
    await expect.poll(() => drawing.count()).toBe(1);
    await expect
      .poll(() =>
        drawing.evaluate((image: HTMLImageElement) => {
          const canvas = document.createElement('canvas');
          const brush = canvas.getContext('2d')!;
          if (image.complete) brush.drawImage(image, 0, 0);
          return [image.naturalWidth, image.naturalHeight];
        }),
      )
      .toEqual([40, 30]);
    await drawing.click();
    await expect.poll(() => cell(5).getByText('A drawing (SVG), as its source').count()).toBe(2);
    expect(asked.filter((url) => /192\.0\.2\.1|pulled|framed/.test(url))).toEqual([]);
    // biome-ignore lint/performance/useDomNodeTextContent: what is on the screen is the question, not what is in the tree.
    expect(RAW.exec((await page.evaluate(() => document.body.innerText)).replaceAll(/\u200b/g, ''))).toBeNull();
    expect(console_.faults).toEqual([]);
  });

  it('shows the same after a reload, and to a colleague with the link, who sees the next run live', async () => {
    await expect.poll(async () => (await seen(page)).length).toBe(5);
    const before = await seen(page);
    await page.reload();
    await ended(5, 'error');
    await expect.poll(() => seen(page)).toEqual(before.map((one) => ({ ...one, output: expect.any(Array) })));
    const colleague = await signedIn(new URL(page.url()).hash.slice(1));
    await cell(5, colleague.page).waitFor();
    await page.locator('.cell').last().locator('.cm-content').click();
    await run('print("seen by both")');
    for (const on of [page, colleague.page])
      await cell(6, on).locator('.cell-output pre', { hasText: 'seen by both' }).waitFor();
    await expect.poll(() => seen(colleague.page)).toEqual(await seen(page));
    expect(colleague.faults).toEqual([]);
    const id = page.url().split('/').pop()!;
    const { events } = await stack.get<{ events: NumberedEvent[] }>(
      `/api/v1/compute/sessions/${id}/output?limit=10000`,
    );
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
    await colleague.page.context().close();
  });

  it('shows only the beginning and the end of a flood, and the lines of the session below', async () => {
    await run('for i in range(60000): print("line", i)');
    await ended(7);
    await cell(7)
      .getByText(/characters skipped here/)
      .waitFor();
    const ends = async () => {
      const [begin = '', end = ''] = await cell(7).locator('.out-stdout pre').allTextContents();
      return [begin.startsWith('line 0\n'), end.endsWith('line 59999\n')];
    };
    await expect.poll(ends).toEqual([true, true]);
    await page.locator('.session-lines .row:not([hidden])', { hasText: 'Cell ended' }).first().waitFor();
  });

  it('says why a session died, and starts anew with the same cells', async () => {
    const old = page.url();
    await run('block = bytearray(1 << 30)');
    await page.locator('.death', { hasText: 'Out of memory' }).waitFor();
    expect(await page.locator('.death-proof').textContent()).toMatch(/128 MiB/);
    await page.getByRole('button', { name: 'Restart with the same cells' }).click();
    await page.waitForURL((url) => url.href !== old);
    await expect.poll(() => page.locator('.cell').count()).toBe(8);
    await page.goto(`${stack.url}/#/compute`);
    await page.locator('.ended-list li', { hasText: 'Out of memory' }).waitFor();
    const rows = page.locator('.session-row:not(.session-head)');
    await expect.poll(() => rows.count()).toBe(1);
    await rows.getByRole('button', { name: /^Stop/ }).click();
    await page.getByText('No session is alive').waitFor();
    expect(console_.faults).toEqual([]);
  });
});
