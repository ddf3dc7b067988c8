import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

function pagesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pagesOf(path);
    return entry.name.endsWith('.html') ? [path] : [];
  });
}

/**
 * Every link inside the built site that leads nowhere, as `page: link`. Links to other sites are not followed; an
 * anchor must exist in the page that it names.
 */
export function brokenLinks(site: string, baseUrl = ''): string[] {
  const anchors = new Map<string, Set<string>>();
  const anchorsOf = (file: string) => {
    let found = anchors.get(file);
    if (found === undefined) {
      found = new Set([...readFileSync(file, 'utf8').matchAll(/\s(?:id|name)="([^"]+)"/g)].map((match) => match[1]!));
      anchors.set(file, found);
    }
    return found;
  };
  return pagesOf(site).flatMap((page) => {
    const here = new URL(`http://site.invalid/${relative(site, page)}`);
    return [...readFileSync(page, 'utf8').matchAll(/\s(?:href|src)="([^"]*)"/g)]
      .map((match) => match[1]!.replaceAll('&amp;', '&'))
      .filter((link) => !leadsSomewhere(link, here))
      .map((link) => `${relative(site, page)}: ${link}`);
  });

  function leadsSomewhere(link: string, here: URL): boolean {
    const target = new URL(link, here);
    if (target.host !== here.host) return /^(https?|mailto):$/.test(target.protocol);
    const path = decodeURIComponent(target.pathname);
    if (!path.startsWith(`${baseUrl}/`) && link.startsWith('/')) return false;
    let file = join(site, link.startsWith('/') ? path.slice(baseUrl.length) : path);
    if (existsSync(file) && statSync(file).isDirectory()) file = join(file, 'index.html');
    if (!existsSync(file)) return false;
    return (
      target.hash === '' || !file.endsWith('.html') || anchorsOf(file).has(decodeURIComponent(target.hash.slice(1)))
    );
  }
}
