import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Bootstrap's sheet carries icons as `data:` images. The console's content security policy (`default-src 'self'`)
 * forbids those, so they are cut out here; our own styles draw what is needed of them.
 */
function withoutDataImages(): Plugin {
  return {
    name: 'without-data-images',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('/bootstrap/dist/css/')) return null;
      return code.replaceAll(/[\w-]+:url\((["']?)data:.*?\1\)[^;}]*;?/g, '');
    },
  };
}

/** KaTeX names each font in three formats; every browser that runs the console reads the first. */
function onlyWoff2(): Plugin {
  return {
    name: 'only-woff2',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('/katex/dist/')) return null;
      return code.replaceAll(/,url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, '');
    },
  };
}

/**
 * xterm.js writes its colours into `<style>` elements and `style` attributes, which the policy forbids as inline styles;
 * by the object model a script may set the same. The places are few; when a new version has others, the build fails.
 */
function xtermUnderPolicy(): Plugin {
  const sheets = /\b[\w.]+\.createElement\("style"\)/g;
  const attributes = /(\w+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{(\w+)\};`\)/g;
  return {
    name: 'xterm-under-policy',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('/@xterm/xterm/lib/')) return null;
      const found = [code.match(sheets)?.length, code.match(attributes)?.length, code.match(/"style"/g)?.length];
      if (String(found) !== '3,1,5') this.error(`xterm.js sets styles in other places than known: ${String(found)}`);
      const changed = code.replaceAll(sheets, 'adoptedSheet()').replaceAll(attributes, '$1.style.cssText+=`$${$2};`');
      const from = JSON.stringify(here('./src/views/widgets/serial/adopted-sheet.ts'));
      return `import { adoptedSheet } from ${from};\n${changed}`;
    },
  };
}

/** Puts `.gz` and `.br` beside every text file: the manager sends them as they are, and packs nothing itself. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle)) {
        if (!/\.(?:js|css|html|svg)$/.test(name)) continue;
        const path = join(dir!, name);
        const bytes = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(bytes));
      }
    },
  };
}

/** The console is a chunk of its own, so that the first calls can leave before it is read; it is fetched meanwhile. */
function consolePreloaded(): Plugin {
  return {
    name: 'console-preloaded',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        const chunk = Object.values(bundle ?? {}).find((one) => one.type === 'chunk' && one.name === 'app');
        if (chunk?.type !== 'chunk') return [];
        // What it shares with parts that are loaded later stands in chunks of its own, and is needed as early.
        const entries = Object.values(bundle ?? {}).filter((one) => one.type === 'chunk' && one.isEntry);
        const shared = chunk.imports.filter((name) => !entries.some(({ fileName }) => fileName === name));
        return [chunk.fileName, ...shared].map((name) => ({
          tag: 'link',
          attrs: { rel: 'modulepreload', crossorigin: true, href: `/${name}` },
        }));
      },
    },
  };
}

// No inline script, style or data: URL may appear in the result: see the policy above.
export default defineConfig({
  root: here('.'),
  base: '/',
  plugins: [withoutDataImages(), xtermUnderPolicy(), onlyWoff2(), consolePreloaded(), packed()],
  resolve: {
    // Backbone asks for jquery with `require`: the slim build (no ajax, no animation) is all that it needs.
    alias: [{ find: /^jquery$/, replacement: here('../node_modules/jquery/dist/jquery.slim.min.js') }],
  },
  build: {
    outDir: here('../dist/web'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
  },
  server: {
    port: 4610,
    proxy: {
      '/api': 'http://127.0.0.1:4600',
      '/socket.io': { target: 'http://127.0.0.1:4600', ws: true },
    },
  },
});
