import { join } from 'node:path';
import { WebvirtError } from '../../common/errors.ts';
import type { Route } from '../http/route.ts';
import type { EnrolTokenStore, HostStore, SettingStore } from '../store/ports.ts';
import { type Ca, type KeyAndCert, openCa } from './ca.ts';
import { checkRequest } from './check-request.ts';
import { type EnrolAnswer, type EnrolBody, enrolRoute } from './enrol-route.ts';
import { makeEnrolToken, type NewEnrolToken } from './enrol-token.ts';
import { createLocalEnrolFile } from './local-enrol-file.ts';
import { LINK_NAME, machineNames, reachableName, serverCertificate } from './own-certificates.ts';
import { createTryBucket } from './try-bucket.ts';

export interface EnrolmentConfig {
  /** Data directory of the manager: the CA is in `ca/`, the file for the local agent in `local/`. */
  dataDir: string;
  /** Names and addresses of the manager for its certificate, besides those of the machine. */
  names: readonly string[];
  /** Address the manager listens on, such as `0.0.0.0`. */
  listen: string;
  /** Port of the manager, for `local/enrol.json` and the line to paste; a function because port 0 is chosen late. */
  port(): number;
}

export interface EnrolmentDeps {
  tokens: EnrolTokenStore;
  hosts: HostStore;
  settings: SettingStore;
  /** A host was enrolled: links dials it, live shows it. */
  onEnrolled(hostId: string): void;
  /** Audit lines; `error` is an alarm. */
  audit(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
  now(): number;
}

export interface Enrolment {
  ca: { cert: string; hash: string };
  /** For the manager's own port; `cert` holds the chain up to the CA. */
  tls(): KeyAndCert & { ca: string };
  /** For the links to the agents: client certificate `webvirt-manager`. Ask at each dial: it is renewed. */
  linkTls(): KeyAndCert & { ca: string };
  createToken(order: { agent: string | null; actor: string }): NewEnrolToken;
  /** `https://address:port` under which hosts most likely reach the manager. */
  defaultOrigin(): string;
  /** The one line to run on the host. `origin`: how the caller reaches the manager, such as `https://10.0.0.1:4600`. */
  command(origin: string, token: NewEnrolToken): string;
  routes: Route[];
  /** Writes and renews `local/enrol.json` until the local agent is enrolled; renews the certificate of the links. */
  start(): void;
  stop(): void;
}

const TRIES = 10;
const TRY_REFILL_MS = 6_000;
const RENEW_CHECK_MS = 86_400_000;

/** Opens the CA and hands out everything that rests on it. Throws `bad-config` when the CA's files are damaged. */
export async function createEnrolment(config: EnrolmentConfig, deps: EnrolmentDeps): Promise<Enrolment> {
  const { tokens, hosts, audit, now } = deps;
  const folder = join(config.dataDir, 'ca');
  const ca = await openCa(folder, now());
  const server = await serverCertificate(ca, folder, machineNames(config.names), now());
  let link = await ca.issue('manager-link', LINK_NAME, [LINK_NAME], now());
  const tries = createTryBucket(TRIES, TRY_REFILL_MS, now);
  const createToken: Enrolment['createToken'] = (order) => makeEnrolToken(tokens, ca.hash, { ...order, nowMs: now() });
  const local = createLocalEnrolFile(
    { path: join(config.dataDir, 'local', 'enrol.json'), url: () => `https://127.0.0.1:${config.port()}` },
    { ...deps, createToken: () => createToken({ agent: null, actor: 'local' }) },
  );
  let renewal: NodeJS.Timeout | undefined;

  async function enrol(body: EnrolBody, peerText: string, exporter: Uint8Array): Promise<EnrolAnswer> {
    const peer = peerText.replace(/^::ffff:/, '');
    if (!tries.mayTry(peer)) throw new WebvirtError('too-many-requests');
    const token = tokens.get(body.tokenId);
    const checked = await checkRequest(token, body, exporter, now());
    if (!checked.ok) return refuse(checked.refusal, checked.refusal === 'used token');
    const { id, publicKey } = checked;
    const before = hosts.get(id);
    if (before !== null && before.revokedMs !== null) return refuse('revoked agent', true);
    const cert = await ca.signAgent(id, publicKey, now());
    // One statement decides between requests that came at the same time; the certificate of the loser is thrown away.
    if (!tokens.use(body.tokenId, id, now())) return refuse('used token', true);
    hosts.put({
      id,
      address: peer,
      port: body.port,
      enrolledMs: now(),
      enrolledBy: token!.createdBy,
      agentVersion: before?.agentVersion ?? '',
      facts: before?.facts ?? null,
      seenMs: before?.seenMs ?? 0,
      revokedMs: null,
    });
    local.enrolled(body.tokenId, id);
    audit('info', 'agent enrolled', {
      agent: id,
      address: peer,
      port: body.port,
      name: body.name,
      by: token!.createdBy,
    });
    deps.onEnrolled(id);
    return { cert, ca: ca.cert };

    function refuse(refusal: string, alarm: boolean): never {
      tries.failed(peer);
      const fields = { token: body.tokenId, refusal, address: peer, name: body.name, usedBy: token?.usedBy ?? null };
      if (alarm)
        audit(
          'error',
          'an enrolment token was used again, or for a revoked agent: somebody may have copied it',
          fields,
        );
      else audit('warn', 'enrolment refused', fields);
      throw new WebvirtError('bad-token');
    }
  }

  return {
    ca: { cert: ca.cert, hash: ca.hash },
    tls: () => ({ key: server.key, cert: server.cert + ca.cert, ca: ca.cert }),
    linkTls: () => ({ ...link, ca: ca.cert }),
    createToken,
    defaultOrigin: () => `https://${reachableName(config)}:${config.port()}`,
    command: (origin, token) => `sudo webvirt agent enrol ${origin} ${token.text}`,
    routes: [enrolRoute(enrol)],
    start() {
      local.start();
      renewal = setInterval(() => {
        void renewLink(ca).catch((error: unknown) =>
          audit('error', 'the certificate of the links could not be renewed', { error: String(error) }),
        );
      }, RENEW_CHECK_MS);
      renewal.unref();
    },
    stop() {
      local.stop();
      clearInterval(renewal);
    },
  };

  async function renewLink(authority: Ca): Promise<void> {
    link = await authority.issue('manager-link', LINK_NAME, [LINK_NAME], now());
  }
}
