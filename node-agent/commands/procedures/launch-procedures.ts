import type { HostFacts } from '../../../common/model/host.ts';
import type { AgentInstance } from '../../../common/model/instance.ts';
import { createQemuImg } from '../../resources/qemu-img.ts';
import type { Resources } from '../../resources/resources.ts';
import { createDelete } from './delete.ts';
import { createForgetImage, createRegisterImage } from './images.ts';
import { createLaunch, type LaunchDeps } from './launch.ts';
import type { Procedure } from './procedure.ts';
import { createRemovals } from './removals.ts';

export interface LaunchProceduresConfig {
  qemuImgPath: string;
  /** Absolute folder, as libvirt sees it, of the logs of serial consoles. */
  consoleLogDir: string;
  /** Folder of the agent's own for deletions under way. */
  removalsDir: string;
}

export interface LaunchProceduresDeps {
  resources: Resources;
  hypervisor: LaunchDeps['hypervisor'] & { facts(): HostFacts; instances(): AgentInstance[] };
  now(): number;
}

/** How instances come and go: launch, delete, and the base images they are made of. */
export function createLaunchProcedures(config: LaunchProceduresConfig, deps: LaunchProceduresDeps): Procedure[] {
  const qemuImg = createQemuImg(config.qemuImgPath);
  const removals = createRemovals(config.removalsDir);
  const all = { ...deps, qemuImg, removals, consoleLogDir: config.consoleLogDir };
  return [createLaunch(all), createDelete(all), createRegisterImage(all), createForgetImage(all)];
}
