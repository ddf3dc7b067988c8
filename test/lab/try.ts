import { computeMissing, sageInstalled } from './compute.ts';
import { guestName } from './demo-guests.ts';

/** What a newcomer can do with a lab that is up, as lines to paste. */
export function whatToTry(lab: { url: string; dataDir: string; hosts: number; guests: number }): string {
  const lines = [
    'Try, in another terminal (or in the console, with the same names):',
    `  export WEBVIRT_URL=${lab.url} WEBVIRT_DATA_DIR=${lab.dataDir}`,
    '  npx webvirt launch mine --base tiny --memory 96MiB --network br0',
    '  npx webvirt logs -f --instance mine',
  ];
  if (lab.hosts > 1) {
    const guest = lab.guests > 0 ? guestName(0) : 'mine';
    lines.push(`  npx webvirt migrate ${guest} h2 --check`, `  npx webvirt migrate ${guest} h2`);
  }
  lines.push('  npx webvirt delete mine --yes mine --force');
  if (computeMissing() === null) lines.push(`  npx webvirt run '${sageInstalled() ? 'factor(2^64+1)' : '2**64 + 1'}'`);
  return lines.join('\n');
}
