import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { request } from './request.ts';

it('says which address to use when the manager wants TLS', async () => {
  const server = createServer((_call, answer) => void answer.writeHead(308, { Location: 'https://x/' }).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await expect(request({ url: `http://127.0.0.1:${port}` }, 'GET', '/api/v1/hosts')).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringContaining(`--url https://127.0.0.1:${port}`),
  });
  await new Promise((resolve) => server.close(resolve));
});
