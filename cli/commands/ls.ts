import { WebvirtError } from '../../common/errors.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import { NOUNS } from '../show/nouns.ts';
import { table } from '../show/table.ts';
import type { CliCommand } from './command.ts';

export const ls: CliCommand = {
  words: ['ls'],
  usage: `webvirt ls [${Object.keys(NOUNS).join('|')}]`,
  summary: 'List what is asked for; instances when nothing is said.',
  async run({ config, args, json, out, note }) {
    const word = args[0] ?? 'instances';
    const noun = Object.hasOwn(NOUNS, word) ? NOUNS[word]! : null;
    if (noun === null || args.length > 1) {
      throw new WebvirtError(
        'bad-request',
        `webvirt ls knows ${Object.keys(NOUNS).join(', ')}; not "${args.join(' ')}".`,
      );
    }
    const list = await request<never[]>(config, 'GET', noun.path);
    if (json) {
      out(jsonText(list, 2));
      return 0;
    }
    if (list.length === 0) note(`No ${word} yet.`);
    else
      out(
        table(
          noun.heading,
          list.map((item) => noun.row(item, Date.now())),
        ),
      );
    return 0;
  },
};
