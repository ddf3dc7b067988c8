import { join } from 'node:path';
import { FOR_COMPUTE, NEEDS, PYTHON } from './needs.mjs';
import { isRoot, missingOf } from './packages.mjs';
import { inRoot } from './root.mjs';

/** The argument list of the compute server whose socket lies in the agent's data directory. */
export function computeCommand(agentDir, configFile = process.env.WEBVIRT_COMPUTE_CONFIG) {
  const main = inRoot('node-agent', 'compute', 'server', 'main.py');
  const config = configFile ? ['--config', configFile] : [];
  return [PYTHON, '-I', main, '--socket', join(agentDir, 'compute.sock'), ...config];
}

/** Why no computation can run on this machine, in words for people; null when one can. */
export async function whyNoCompute() {
  if (process.platform !== 'linux') return 'they need Linux';
  if (!isRoot()) return 'only root can contain them; start WebVirt as root to offer them';
  const missing = await missingOf(FOR_COMPUTE);
  return missing.length === 0 ? null : `missing: ${missing.map((name) => NEEDS[name].package).join(', ')}`;
}
