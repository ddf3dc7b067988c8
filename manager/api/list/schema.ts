import { z } from 'zod';

export const addressParams = z.object({
  ip: z.union([z.ipv4(), z.ipv6()]).describe('Address of a host, as the list of daemons shows it.'),
});

const daemon = z.object({
  id: z.string(),
  name: z.string(),
  ip: z.string(),
  port: z.number().int(),
  state: z.string(),
});
export const daemonListAnswer = z.array(daemon);

const vm = z.object({ id: z.string(), name: z.string(), state: z.string(), ip: z.string(), host: z.string() });
export const vmListAnswer = z.array(vm);
