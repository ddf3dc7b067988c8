import type { AgentInstance } from '../../common/model/instance.ts';
import { lookQuestionSchema } from '../../common/wire/migration.ts';
import type { Log } from '../libvirt/log.ts';
import { createMigrationVirsh } from '../libvirt/migration-virsh.ts';
import { type LookHypervisor, lookAt } from './look.ts';
import { createMigrationFacts } from './migration-facts.ts';
import { createMigrate } from './procedures/migrate.ts';
import type { Procedure } from './procedures/procedure.ts';
import { createSettle } from './procedures/settle.ts';
import type { Scopes } from './scope.ts';

export interface MigrationSideConfig {
  uri: string;
  virshPath: string;
  runDir: string;
  /** Template of the URI on which other hosts reach our libvirt. */
  peerUri: string;
  keepDir: string;
  giveUpMs: number;
  connectMs: number;
}

export interface MigrationSide {
  procedures: Procedure[];
  /** Answers to questions of the manager. */
  answerers: {
    look(args: Record<string, unknown>): unknown;
    'migration-facts'(args: Record<string, unknown>): unknown;
  };
  stop(): void;
}

/** All that an agent does for migrations, on whichever side it is. */
export function createMigrationSide(
  config: MigrationSideConfig,
  deps: {
    hypervisor: LookHypervisor & { instances(): AgentInstance[]; idOf(name: string): string | undefined };
    scopes: Scopes;
    log: Log;
    now(): number;
  },
): MigrationSide {
  const { hypervisor, scopes } = deps;
  const virsh = createMigrationVirsh(config, { log: deps.log, idOf: hypervisor.idOf });
  return {
    procedures: [createMigrate(config, { virsh, scopes, hypervisor }), createSettle()],
    answerers: {
      look: (args) => lookAt(lookQuestionSchema.parse(args).instance, { uri: config.uri, hypervisor, virsh }),
      'migration-facts': createMigrationFacts(config, { hypervisor, virsh, now: deps.now }),
    },
    stop() {
      virsh.stop();
      scopes.stop();
    },
  };
}
