import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureCassandra } from '../../scripts/parts/cassandra.mjs';

export interface CassandraNode {
  port: number;
  pid: number;
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
}

export interface CassandraOptions {
  /** Everything of the node is in here; a node started again with the same folder has its data. */
  dir: string;
  port: number;
  /** What `commitlog_sync` is: `batch` answers a write when it is on the disk, `periodic` before. */
  sync: 'batch' | 'group' | 'periodic';
}

const KEEPER = fileURLToPath(new URL('../../scripts/parts/cassandra-keeper.mjs', import.meta.url));
const LIMIT_START_MS = 90_000;

/** Why there is no Cassandra on this machine, or null when there is one; fetches it the first time. */
export async function cassandraMissing(): Promise<string | null> {
  return (await ensureCassandra()).missing ?? null;
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Starts one node on loopback; resolves when it takes CQL. It never outlives this process. */
export async function startCassandra(options: CassandraOptions): Promise<CassandraNode> {
  const found = await ensureCassandra();
  if (found.missing !== undefined) throw new Error(found.missing);
  writeConfiguration(options, await freePort());
  const child = spawn(process.execPath, [KEEPER, found.java, ...javaArguments(options.dir, found.jars)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: options.dir,
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin.on('error', () => undefined);
  const pid = await ready(child);
  // It says that it listens a moment before it does.
  while (!(await listens(options.port))) await sleep(20);
  return {
    port: options.port,
    pid,
    async kill() {
      child.stdin.end();
      await gone;
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

function ready(child: ChildProcess): Promise<number> {
  let output = '';
  let pid = 0;
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.stdin?.end();
      reject(new Error(`Cassandra did not start: ${why}\n${output.slice(-3_000)}`));
    };
    const timer = setTimeout(() => fail('it took too long'), LIMIT_START_MS);
    const listen = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
      pid ||= Number(/^pid (\d+)$/m.exec(output)?.[1] ?? 0);
      if (!output.includes('Starting listening for CQL clients')) return;
      clearTimeout(timer);
      resolve(pid);
      output = '';
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', () => {
      clearTimeout(timer);
      fail('it ended');
    });
  });
}

const EXPORTS = ['java.base/jdk.internal.misc', 'java.base/jdk.internal.ref', 'java.base/sun.nio.ch', 'java.sql/java.sql',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi', 'java.rmi/sun.rmi.registry', 'java.rmi/sun.rmi.server',
  'java.base/java.lang.ref', 'java.base/java.lang.reflect', 'jdk.unsupported/sun.misc']; // biome-ignore format: one table
const OPENS = ['java.base/java.lang.module', 'java.base/jdk.internal.loader', 'java.base/jdk.internal.ref', 'java.base/java.io',
  'java.base/jdk.internal.reflect', 'java.base/jdk.internal.math', 'java.base/jdk.internal.module', 'java.base/java.nio',
  'java.base/jdk.internal.util.jar', 'jdk.management/com.sun.management.internal', 'java.base/sun.nio.ch',
  'java.base/java.util', 'java.base/java.util.concurrent', 'java.base/java.util.concurrent.atomic', 'java.base/java.lang',
  'java.base/java.math', 'java.base/java.lang.reflect', 'java.base/java.net']; // biome-ignore format: one table

/** The options of Cassandra's own jvm17-server.options that a single small node needs. */
function javaArguments(dir: string, jars: string): string[] {
  return [
    ...[
      '-Xms512m',
      '-Xmx1g',
      '-XX:+UseParallelGC',
      '-XX:-UsePerfData',
      '-Xss512k',
      '-Djdk.attach.allowAttachSelf=true',
    ],
    ...EXPORTS.flatMap((name) => ['--add-exports', `${name}=ALL-UNNAMED`]),
    ...OPENS.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
    ...['-cp', join(jars, '*')],
    `-Dcassandra.config=file://${join(dir, 'cassandra.yaml')}`,
    `-Dcassandra.storagedir=${dir}`,
    `-Dlogback.configurationFile=${join(dir, 'logback.xml')}`,
    ...['-Dcassandra.skip_wait_for_gossip_to_settle=0', '-Dcassandra.ring_delay_ms=100'],
    ...['-Dcassandra-foreground=yes', '-Djava.net.preferIPv4Stack=true'],
    'org.apache.cassandra.service.CassandraDaemon',
  ];
}

const SYNC = {
  batch: ['commitlog_sync: batch'],
  group: ['commitlog_sync: group', 'commitlog_sync_group_window: 5ms'],
  periodic: ['commitlog_sync: periodic', 'commitlog_sync_period: 10000ms'],
};

function writeConfiguration({ dir, port, sync }: CassandraOptions, storagePort: number): void {
  mkdirSync(dir, { recursive: true });
  const folder = (name: string) => JSON.stringify(join(dir, name));
  const yaml = [
    'cluster_name: webvirt-test',
    'num_tokens: 4',
    'partitioner: org.apache.cassandra.dht.Murmur3Partitioner',
    `data_file_directories: [${folder('data')}]`,
    `commitlog_directory: ${folder('commitlog')}`,
    `saved_caches_directory: ${folder('saved_caches')}`,
    `hints_directory: ${folder('hints')}`,
    `cdc_raw_directory: ${folder('cdc_raw')}`,
    ...SYNC[sync],
    'endpoint_snitch: SimpleSnitch',
    'seed_provider:',
    '  - class_name: org.apache.cassandra.locator.SimpleSeedProvider',
    '    parameters:',
    `      - seeds: "127.0.0.1:${storagePort}"`,
    'listen_address: 127.0.0.1',
    'rpc_address: 127.0.0.1',
    `native_transport_port: ${port}`,
    `storage_port: ${storagePort}`,
    'auto_snapshot: false',
    'disk_optimization_strategy: ssd',
    '',
  ];
  writeFileSync(join(dir, 'cassandra.yaml'), yaml.join('\n'));
  const pattern = '%level %date{ISO8601} %logger{0} %msg%n';
  writeFileSync(
    join(dir, 'logback.xml'),
    `<configuration><appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>${pattern}</pattern></encoder></appender><root level="INFO"><appender-ref ref="OUT"/></root></configuration>`,
  );
}
