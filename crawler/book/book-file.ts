import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { findingSchema } from '../../common/model/discovery.ts';
import { makeFolder } from '../../logging/make-folder.ts';
import type { Logger } from '../log.ts';
import type { BookState } from './book.ts';

const addressesSchema = z.array(z.string().max(15));
const bookSchema = z.object({ agents: z.array(findingSchema), up: addressesSchema, strangers: addressesSchema });

/** The book on disk, so that differences are told across a restart. It can always be made again by scanning. */
export interface BookFile {
  read(): BookState;
  write(state: BookState): void;
}

export function createBookFile(dataDir: string, log: Logger): BookFile {
  const path = join(dataDir, 'book.json');
  return {
    read() {
      try {
        return bookSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          log.warn('the book of known addresses could not be read and starts empty', { path, reason: String(error) });
        return { agents: [], up: [], strangers: [] };
      }
    },
    write(state) {
      try {
        makeFolder(dataDir);
        writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
        renameSync(`${path}.new`, path);
      } catch (error) {
        log.warn('the book of known addresses could not be written', { path, reason: String(error) });
      }
    },
  };
}
