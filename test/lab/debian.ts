import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LabError, mustRun } from './run.ts';

const FETCH_TIMEOUT_MS = 120_000;

/** The package that a meta package such as linux-image-cloud-amd64 stands for now. */
export async function dependencyOf(metaPackage: string, pattern: RegExp): Promise<string> {
  const text = await mustRun(['apt-cache', 'depends', '--', metaPackage]);
  const found = [...text.matchAll(/Depends: (\S+)/g)].map((match) => match[1]!).find((name) => pattern.test(name));
  if (!found) throw new LabError(`apt knows no package behind ${metaPackage}: run apt-get update`);
  return found;
}

/**
 * Unpacks Debian packages into `targetDir` without installing them: nothing of the machine changes.
 * Complete or absent: the folder appears under its name only when all is in it.
 */
export async function unpackPackages(packages: readonly string[], targetDir: string): Promise<void> {
  await mkdir(dirname(targetDir), { recursive: true });
  const draft = await mkdtemp(`${targetDir}.`);
  try {
    await mustRun(['apt-get', 'download', '--', ...packages], { cwd: draft, timeoutMs: FETCH_TIMEOUT_MS });
    const archives = (await readdir(draft)).filter((file) => file.endsWith('.deb'));
    for (const archive of archives) {
      await mustRun(['dpkg-deb', '-x', join(draft, archive), join(draft, 'root')], { timeoutMs: FETCH_TIMEOUT_MS });
    }
    await publish(join(draft, 'root'), targetDir);
  } catch (cause) {
    throw new LabError(`cannot fetch ${packages.join(', ')}: ${(cause as Error).message}`, { cause });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Moves a finished folder to its name; when another lab was faster, theirs is as good as ours. */
export async function publish(draft: string, targetDir: string): Promise<void> {
  try {
    await rename(draft, targetDir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    await rm(draft, { recursive: true, force: true });
  }
}
