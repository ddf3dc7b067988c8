/** Says in words for people why this host can do less than a whole one; null when it is whole. At most 512 letters. */
export function limitedText(of: { driver: string; uri: string; wantedUri: string; answers: boolean }): string | null {
  const wanted = of.wantedUri.slice(0, 128);
  if (of.driver === 'none')
    return 'virsh is not installed on this host: instances are neither shown nor started. Install the package libvirt-clients.';
  if (of.uri !== of.wantedUri)
    return `No libvirt daemon answers at ${wanted}. What is shown is libvirt's built-in test driver: its instances are not real. The daemon is tried again all the time.`;
  if (!of.answers)
    return `libvirt does not answer at ${wanted}: the last known state is shown, and actions will not work.`;
  if (of.driver === 'test') return "This is libvirt's test driver: its instances are not real.";
  return null;
}
