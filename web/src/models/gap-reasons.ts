const REASONS: Record<string, string> = {
  'spool-full': 'the spool was full',
  'disk-full': 'the disk was full',
  'write-failed': 'writing failed',
  damaged: 'damaged on the disk',
  freed: 'let go by the spool',
  rate: 'more came than may be read a second',
  'too-large': 'too large',
  rotated: 'the log was rotated away',
  deleted: 'the log was deleted',
  emptied: 'the log was emptied',
  'journal-cursor': 'not in the journal any more',
};

/** Why lines are missing, in words; several reasons may have come together. */
export function reasonText(reason: string): string {
  return reason
    .split(', ')
    .map((one) => REASONS[one] ?? one)
    .join(', ');
}
