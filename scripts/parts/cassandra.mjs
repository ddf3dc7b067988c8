import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './root.mjs';
import { findProgram, run } from './run.mjs';

const VERSION = '5.0.6';
const LIMIT_FETCH_MS = 180_000;
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>webvirt</groupId><artifactId>test-node</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/**
 * The jars of a real Cassandra for the tests, fetched once with Maven (66 MB) into .cache; Debian has no package of it.
 * Resolves with `{ jars }`, a folder, or with `{ missing }`, why there is none. Takes at most three minutes.
 */
export async function ensureCassandra(say = () => {}) {
  const java = findProgram('java');
  if (java === null) return { missing: 'no Java (Debian: openjdk-17-jre-headless)' };
  const version = await run(java, ['-version'], { capture: true });
  // Cassandra 5 runs on 11 and 17; the options of our test node are those of 17.
  if (!/version "17\./.test(version.output)) return { missing: 'Java is there, but not Java 17' };
  const jars = inRoot('.cache', 'cassandra', VERSION);
  if (existsSync(jars)) return { java, jars };
  const mvn = findProgram('mvn');
  if (mvn === null) return { missing: 'no Maven (Debian: maven)' };
  say(`Fetching Cassandra ${VERSION} with Maven (66 MB, once)`);
  const half = inRoot('.cache', 'cassandra', `fetch-${process.pid}`);
  try {
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'pom.xml'), POM);
    const args = ['-q', '-B', '-f', join(half, 'pom.xml'), 'dependency:copy-dependencies'];
    args.push(`-DoutputDirectory=${join(half, 'jars')}`, '-DincludeScope=runtime');
    const { code, output } = await run(mvn, args, { capture: true, timeoutMs: LIMIT_FETCH_MS });
    const found = code === 0 ? readdirSync(join(half, 'jars')).filter((name) => name.endsWith('.jar')).length : 0;
    if (found < 50) return { missing: `Maven could not fetch it: ${lastWords(output)}` };
    try {
      renameSync(join(half, 'jars'), jars);
    } catch (error) {
      // Another run was quicker.
      if (!existsSync(jars)) throw error;
    }
    return { java, jars };
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

function lastWords(output) {
  const errors = output.split('\n').filter((line) => line.includes('ERROR'));
  return (errors[0] ?? output.trim().split('\n').at(-1) ?? '').slice(0, 200) || 'it took too long';
}
