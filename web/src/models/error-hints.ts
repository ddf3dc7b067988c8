/** What to try after an error, by its code; the message of the error says what happened, this says what to do. */
const HINTS: Record<string, string> = {
  network: 'Check that the manager runs and try again; a repeated click is safe.',
  'not-signed-in': 'Sign in again.',
  'host-unreachable': 'See the host page for how long it has been silent; the agent there may be down.',
  'libvirt-unavailable': 'Check libvirtd on the host (systemctl status libvirtd), then try again.',
  'libvirt-failed': "The job's lines and the instance's QEMU log tell what libvirt said.",
  busy: 'Wait for the job that holds it, or cancel that job.',
  'wrong-state': 'Look at its present state; somebody may have acted first.',
  'stale-token': 'A newer command won. Look at the present state before you repeat it.',
  timeout: 'The outcome is unknown: look at the state of the instance before you repeat it.',
  expired: 'Nothing was run. Start it again if it is still wanted.',
  'journal-full': 'Free disk space on the host or the manager; no operation is accepted until then.',
  'store-unavailable': 'Check the disk of the manager.',
  'missing-program': 'Install the program that is named on that host.',
  'scan-running': 'Wait for the running scan, its results appear below.',
  'bad-range': 'Only ranges of the crawler’s configuration may be scanned.',
  'csrf-missing': 'Reload the page and try again.',
  'no-kernel': 'The hosts below say why none offers it.',
  'no-capacity': 'Stop a session that is not needed, or wait for one to end.',
  'not-contained': 'Choose another host; the checks of this one are below.',
  'session-ended': 'Restart it with the same cells.',
  'too-many-requests': 'Wait a minute.',
  'op-cancelled': 'Nothing to do, unless it was not meant: start it again.',
};

/** The hint for a code, or null when nothing general can be said. */
export function errorHint(code: string): string | null {
  return HINTS[code] ?? null;
}
