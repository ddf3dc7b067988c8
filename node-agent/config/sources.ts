import { z } from 'zod';
import { duration, size } from '../../common/pure/config/quantity.ts';
import { fileRule } from './file-rule.ts';

const journal = z
  .object({
    enabled: z.boolean().default(true).describe('False: the journal is not read.'),
    journalctl: z.string().min(1).default('journalctl').describe('Program that reads the journal.'),
    directory: z
      .string()
      .default('')
      .describe(
        'Read the journal files in this directory instead of those of this host, such as /var/log/journal/remote.',
      ),
    past: z
      .number()
      .int()
      .min(0)
      .max(1_000_000)
      .default(1_000)
      .describe('Entries from before the very first start that are read.'),
    exclude: z
      .array(z.string())
      .default(['webvirt-agent.service', 'webvirt-manager.service', 'webvirt-crawler.service'])
      .describe(
        'Units that are left out, by pattern with * and ?; WebVirt’s own programs send their lines themselves.',
      ),
  })
  .prefault({})
  .describe('The journal of systemd, by journalctl; unit and priority are kept.');

const consoles = z
  .object({
    enabled: z.boolean().default(true).describe('False: what guests print on their serial consoles is not kept.'),
    partialAfter: duration({ min: '50ms', max: '1m' })
      .prefault('1s')
      .describe('What a guest printed without ending the line, such as a prompt, becomes a line after so long.'),
    behind: size({ min: '64KiB' })
      .prefault('1MiB')
      .describe('As sources.behind, for consoles: virtlogd throws away what is older than a few MiB.'),
  })
  .prefault({})
  .describe('Serial consoles: one stream for each instance, for its whole life.');

/** The keys of `sources`. */
export const sourcesSchema = z
  .object({
    lookEvery: duration({ min: '100ms', max: '10m' })
      .prefault('5s')
      .describe(
        'How often followed files are looked at where the kernel tells of no change, and patterns are matched again.',
      ),
    linesPerSecond: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(2_000)
      .describe(
        'Lines that one file, console or unit of the journal may give in a second, and five times that at once. Files are read ' +
          'later when more comes; of a unit of the journal the rest is left out. A line says how many, and why.',
      ),
    behind: size({ min: '64KiB' })
      .prefault('64MiB')
      .describe(
        'When more than this waits in a file to be read, the oldest half of it is passed over, and a line says how much.',
      ),
    lineCap: size({ min: '256B', max: '512KiB' }).prefault('16KiB').describe('A longer line is cut, and marked.'),
    openFiles: z.number().int().min(4).max(10_000).default(256).describe('Followed files that are held open.'),
    limitFiles: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(1_000)
      .describe('Files of sources.files that are followed at once.'),
    files: z
      .array(fileRule())
      .default([])
      .describe(
        'Logs of other programs to follow: absolute patterns such as /var/log/nginx/*.log, or maps with path, exclude (names), unit ' +
          '({name} and {folder} stand for the file and its folder), level, start (RE2: where a record of several lines begins), ' +
          'startWait, fields, and links: true where symbolic links are to be followed. As a variable: patterns with commas between.',
      ),
    libvirtLogs: z
      .string()
      .regex(/^\/[^\0]*$/, 'must be an absolute path')
      .default('/var/log/libvirt/*.log')
      .describe('Logs of libvirt’s own daemons, where libvirtd.conf has them written to files.'),
    journal,
    console: consoles,
  })
  .prefault({})
  .describe('Where the lines of this host come from, beside libvirt’s events and WebVirt itself.');
