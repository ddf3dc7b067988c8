import type { Action } from '../../../common/model/instance.ts';
import { autostartOff, autostartOn } from './autostart.ts';
import { forceOff, save, shutdown } from './power-off.ts';
import { restore, start } from './power-on.ts';
import { pause, reboot, reset, resume } from './running.ts';
import type { Verb } from './verb.ts';

const TABLE: Readonly<Record<Action, Verb>> = {
  start,
  shutdown,
  reboot,
  reset,
  'force-off': forceOff,
  pause,
  resume,
  save,
  restore,
  'autostart-on': autostartOn,
  'autostart-off': autostartOff,
};

/** The verb of this name, or undefined. */
export function verbNamed(name: string): Verb | undefined {
  return Object.hasOwn(TABLE, name) ? TABLE[name as Action] : undefined;
}
