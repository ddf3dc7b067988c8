import { z } from 'zod';
import { duration, size } from '../../common/pure/config/quantity.ts';
import { intake } from './intake.ts';
import { lines, store } from './store.ts';

const count = (least: number, most: number, usual: number) => z.number().int().min(least).max(most).default(usual);

const http = z
  .object({
    allowedHosts: z
      .array(z.string().regex(/^[A-Za-z0-9._:-]+$/, 'a host name or address without port, such as webvirt.example.org'))
      .default([])
      .describe(
        'Names under which this manager is called, without port. Requests with another Host header are refused, or a ' +
          'page of another site could reach it by a name that it points here. Loopback names, the name of this machine ' +
          'and the address a connection arrives at are always known. They also go into the certificate.',
      ),
    headerTimeout: duration({ min: '1s' }).prefault('10s').describe('Time a peer has to send the head of a request.'),
    requestTimeout: duration({ min: '1s' }).prefault('30s').describe('Time a peer has to send a whole request.'),
    maxConnections: count(10, 100_000, 4000).describe('Connections at the same time; more are closed at once.'),
    webDir: z
      .string()
      .nullable()
      .default(null)
      .describe('Folder of the built console; null: the one that was built with this program.'),
  })
  .describe('The port of the manager: console, API, sockets and enrolment.');

const signIn = z
  .object({
    idle: duration({ min: '1m' }).prefault('12h').describe('A session that made no call for so long ends.'),
    absolute: duration({ min: '1m' }).prefault('7d').describe('A session ends after so long whatever happens.'),
    remember: duration({ min: '1m' })
      .prefault('30d')
      .describe('Both times for a sign-in with "remember me"; longer than `absolute`.'),
    tries: count(1, 1000, 10).describe('Wrong passwords that are free within `triesWindow`, per account and address.'),
    triesWindow: duration({ min: '1s' })
      .prefault('1m')
      .describe('The first wait after that; each further wrong password doubles it.'),
    maxWait: duration({ min: '1s' }).prefault('15m').describe('Longest wait between two tries.'),
  })
  .describe('Signing in and sessions.');

const links = z
  .object({
    ping: duration({ min: '100ms' }).prefault('3s').describe('Pause between two heartbeats to an agent.'),
    silence: duration({ min: '1s' })
      .prefault('10s')
      .describe('A host that said nothing for so long is shown as stale, its link is closed and dialled again.'),
    lost: duration({ min: '1s' }).prefault('60s').describe('A host that was not heard of for so long counts as lost.'),
    redialMin: duration({ min: '10ms' }).prefault('200ms').describe('First pause before an agent is dialled again.'),
    redialMax: duration({ min: '100ms' }).prefault('3s').describe('Longest pause before an agent is dialled again.'),
  })
  .describe('The connections to the agents.');

const jobs = z
  .object({
    expiry: duration({ min: '1s' })
      .prefault('30s')
      .describe('A command that reaches its host later than this is not run any more.'),
    silence: duration({ min: '10s' })
      .prefault('15m')
      .describe('A running job that said nothing for so long is shown as unknown; it is never repeated by itself.'),
    hostGone: duration({ min: '1s' }).prefault('60s').describe('The same, when its host is gone for so long.'),
    patience: duration({ min: '1s', max: '10m' })
      .prefault('12s')
      .describe('After a move that did not end well: how long a host may be silent before nobody knows where it runs.'),
    keep: duration({ min: '1d' })
      .prefault('365d')
      .describe(
        'Jobs older than this are forgotten. Until then a call repeated with its opId finds its job and does nothing.',
      ),
  })
  .describe('Operations on instances.');

const compute = z
  .object({
    perPerson: count(1, 10_000, 32).describe('Sessions that one person may have open at the same time.'),
    keep: duration({ min: '1m' })
      .prefault('1d')
      .describe('Ended sessions and their output are kept for so long, to be read later.'),
    keepSize: size({ min: '16MiB' }).prefault('1GiB').describe('The output that is kept takes at most about this.'),
    keepSessions: count(1, 100_000, 1000).describe('So many ended sessions are kept at most; the oldest go first.'),
    hostGone: duration({ min: '1m' })
      .prefault('1d')
      .describe('A session whose host did not answer for so long counts as dead.'),
  })
  .describe('Computations. What one session may use is set at the compute server of each host.');

const live = z
  .object({
    maxSockets: count(1, 100_000, 2000).describe('Browsers and programs that are connected at the same time.'),
    maxSubscriptions: count(1, 10_000, 64).describe('Addresses that one of them may watch.'),
    maxTails: count(1, 100, 8).describe('Streams of lines that one of them may follow.'),
    queueLines: count(10, 1_000_000, 1000).describe(
      'Lines that may wait for one slow viewer; more are skipped, and said.',
    ),
    queue: size({ min: '64KiB' }).prefault('1MiB').describe('The same in bytes.'),
    changeGap: duration({ max: '10s' })
      .prefault('50ms')
      .describe('Least pause between two changes of a watched address.'),
  })
  .describe('The push to consoles and programs.');

const alerts = z
  .object({
    smtp: z
      .object({
        host: z.string().nullable().default(null).describe('Mail server; null: no e-mail can be sent.'),
        port: z.number().int().min(1).max(65_535).default(587).describe('Its port.'),
        tls: z
          .enum(['starttls', 'tls', 'none'])
          .default('starttls')
          .describe('starttls: the connection must become TLS; tls: it is from the beginning; none: only on loopback.'),
        user: z.string().nullable().default(null).describe('Who signs in there; null: nobody.'),
        password: z.string().nullable().default(null).describe('Better given in `passwordFile` or the environment.'),
        passwordFile: z.string().nullable().default(null).describe('File whose first line is that password.'),
        caFile: z
          .string()
          .nullable()
          .default(null)
          .describe(
            'PEM of the authority that signed its certificate, where that is not a public one; null: public ones.',
          ),
        from: z.string().min(3).default('webvirt@localhost').describe('Sender of the messages.'),
      })
      .describe('How e-mail is sent.'),
    allow: z
      .array(z.string().regex(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, 'a network such as 10.1.0.0/16, or one address'))
      .default([])
      .describe(
        'Networks that webhooks may reach though they are loopback, private or otherwise closed. Without it whoever ' +
          'makes a destination could make this manager call services that only it can reach.',
      ),
    hookTimeout: duration({ min: '100ms', max: '1m' }).prefault('10s').describe('Time that a hook has to answer.'),
    giveUp: duration({ min: '1m' })
      .prefault('1d')
      .describe('A message that could not be delivered for so long is given up.'),
    gather: duration({ max: '1m' })
      .prefault('5s')
      .describe(
        'What happens within this time comes as one message to each destination, so that a thousand groups that fire at ' +
          'once do not send a thousand. 0: each event is a message.',
      ),
    gatherMost: duration({ max: '1h' })
      .prefault('1m')
      .describe('While one message follows the other it is gathered for longer, up to this.'),
    consoleUrl: z
      .string()
      .nullable()
      .default(null)
      .describe(
        'Address of the console in messages, such as https://webvirt.example.org; null: as it is printed at start.',
      ),
  })
  .describe('Rules and how people are told.');

const redis = z
  .object({
    url: z
      .string()
      .regex(/^rediss?:\/\/[^\s]+$/, 'an address such as redis://192.0.2.7:6379, or rediss:// for TLS')
      .nullable()
      .default(null)
      .describe(
        'Redis that joins several managers, such as redis://192.0.2.7:6379, or rediss:// for TLS; null: this one is ' +
          'alone. Lines pass through it: give it a password and keep it off networks that others use.',
      ),
    username: z.string().nullable().default(null).describe('User of Redis; null: its default user.'),
    password: z.string().nullable().default(null).describe('Password of Redis; better given in `passwordFile`.'),
    passwordFile: z.string().nullable().default(null).describe('File whose first line is that password.'),
    prefix: z
      .string()
      .regex(/^[\w{}:.-]{1,64}$/, 'letters, digits and _ - . : { }')
      .default('webvirt')
      .describe('Keys begin with it. Managers that shall know each other have the same.'),
    name: z.string().min(1).nullable().default(null).describe('Name for people; null: the name of this machine.'),
    waiting: size({ min: '64KiB' })
      .prefault('16MiB')
      .describe('Lines that wait while Redis is away; beyond it the others are told how many they miss.'),
    keep: count(100, 1_000_000, 10_000).describe('Messages that are kept for managers which are away for a moment.'),
  })
  .describe('Several managers: the viewers of each see the lines of all, live.');

/** Every key of the manager. The defaults here are the only ones; `conf/manager.yaml` shows them. */
export const managerConfigSchema = z.object({
  listen: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all of this machine.'),
  port: z.number().int().min(0).max(65_535).default(4600).describe('Port to listen on, for HTTP and TLS alike.'),
  dataDir: z.string().min(1).default('./data').describe('Folder of everything the manager keeps.'),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info').describe('Least severe level that is logged.'),
  adminPassword: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'Password of admin@localhost. Null: one is made at the first start and shown once. Better given in ' +
        '`adminPasswordFile` or the environment than in a file that others read.',
    ),
  adminPasswordFile: z.string().nullable().default(null).describe('File whose first line is that password.'),
  http,
  signIn,
  lines,
  store,
  intake,
  links,
  jobs,
  compute,
  live,
  redis,
  alerts,
});

export type ManagerConfig = z.output<typeof managerConfigSchema>;
