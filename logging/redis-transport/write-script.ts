import type { Redis } from 'ioredis';

/** A line with its number: numbers of one writer grow by one for each line. */
export interface NumberedLine {
  seq: number;
  level: string;
  json: string;
}

export interface Written {
  /** Number of the last line that is in its stream (or was before). */
  upTo: number;
  /** What Redis said against the line behind it, or null when all were taken. */
  refused: string | null;
}

/**
 * Adds lines to the streams of their levels and remembers the writer's last number in the same step: a batch that is
 * sent again because its answer was lost adds nothing twice. It stops at the first line that Redis refuses.
 */
const SCRIPT = `
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local refused = false
for i = 3, #ARGV, 3 do
  local seq = tonumber(ARGV[i])
  if seq > last then
    local answer = redis.pcall('XADD', KEYS[tonumber(ARGV[i + 1])], 'MAXLEN', '~', ARGV[2], '*', 'line', ARGV[i + 2])
    if type(answer) == 'table' and answer.err then
      refused = answer.err
      break
    end
    last = seq
  end
end
redis.call('SET', KEYS[1], last, 'EX', ARGV[1])
return { last, refused or '' }`;

/** How long a writer that says nothing is remembered. */
const WRITER_TTL_S = 24 * 3600;

export async function writeLines(
  redis: Redis,
  keys: { writer: string; stream(level: string): string; maxLines: number },
  lines: readonly NumberedLine[],
): Promise<Written> {
  const levels = [...new Set(lines.map((line) => line.level))];
  const at = new Map(levels.map((level, i) => [level, String(i + 2)]));
  const args = lines.flatMap(({ seq, level, json }) => [String(seq), at.get(level)!, json]);
  const answer = (await redis.eval(
    SCRIPT,
    levels.length + 1,
    ...[keys.writer, ...levels.map(keys.stream)],
    ...[String(WRITER_TTL_S), String(keys.maxLines), ...args],
  )) as [number | string, string];
  return { upTo: Number(answer[0]), refused: answer[1] === '' ? null : answer[1] };
}
