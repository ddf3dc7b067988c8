// The storm of sign-ins of the soak, in a process of its own: url, how many. Tells its parent what was answered.
import { request } from 'node:http';

const [url = '', countText = '10000'] = process.argv.slice(2);
const count = Number(countText);
const AT_ONCE = 200;
const { hostname, port } = new URL(url);

/** Status of one try from this address. */
function signIn(email: string, password: string, localAddress: string): Promise<number> {
  const body = JSON.stringify({ email, password });
  return new Promise((resolve) => {
    const call = request(
      {
        ...{ host: hostname, port, path: '/api/v1/sign-in', method: 'POST', localAddress, agent: false },
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), origin: url },
      },
      (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    call.once('error', () => resolve(0));
    call.end(body);
  });
}

/** From thousands of places; for accounts that are there and that are not, and now and then with the right password. */
async function storm(password: string): Promise<void> {
  const answers: Record<string, number> = {};
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) {
        const i = next++;
        const from = `127.1.${i % 251}.${1 + (Math.floor(i / 251) % 250)}`;
        const email = i % 3 === 0 ? 'admin@localhost' : `nobody${i}@x`;
        const status = await signIn(email, i % 30 === 0 ? password : 'wrong', from);
        answers[status] = (answers[status] ?? 0) + 1;
      }
    }),
  );
  process.send?.(answers);
}

process.on('message', ({ password }: { password: string }) => void storm(password));
process.on('disconnect', () => process.exit());
