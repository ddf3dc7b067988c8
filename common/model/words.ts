/**
 * The closed word lists of the model, without any schema: a program that only shows things (the console) imports these
 * and does not carry the schema library with it. The schemas beside this file are built from the same lists.
 */

/** Levels from the most to the least severe; syslog severities and winston's npm levels map onto them. */
export const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export const SOURCES = [
  'manager',
  'agent',
  'crawler',
  'libvirt',
  'qemu',
  'console',
  'journal',
  'file',
  'compute',
  'audit',
  'external',
] as const;

export const HOST_STATES = ['online', 'stale', 'lost', 'conflict'] as const;

export const INSTANCE_STATES = [
  'running',
  'paused',
  'shutoff',
  'saved',
  'crashed',
  'shutting-down',
  'unknown',
] as const;
export type InstanceState = (typeof INSTANCE_STATES)[number];

export const ACTIONS = [
  'start',
  'shutdown',
  'reboot',
  'reset',
  'force-off',
  'pause',
  'resume',
  'save',
  'restore',
  'autostart-on',
  'autostart-off',
] as const;
export type Action = (typeof ACTIONS)[number];

/** Actions that can lose a guest's work: the console asks before it sends them. */
export const DESTRUCTIVE_ACTIONS: readonly Action[] = ['reset', 'force-off'];

/** The actions that make sense in a state, in the order in which they are offered. */
export const ACTIONS_BY_STATE: Record<InstanceState, readonly Action[]> = {
  running: ['shutdown', 'reboot', 'pause', 'save', 'reset', 'force-off'],
  paused: ['resume', 'force-off'],
  shutoff: ['start'],
  saved: ['restore', 'start'],
  crashed: ['start', 'force-off', 'reset'],
  'shutting-down': ['force-off'],
  unknown: [],
};

export const JOB_STATES = ['planned', 'running', 'done', 'failed', 'cancelled', 'unknown'] as const;

/** Operations besides the actions on one instance. */
export const PROCEDURES = ['launch', 'delete', 'migrate', 'register-image', 'forget-image'] as const;

/** `busy`: a cell runs or waits; `lost`: its host does not answer, so nobody knows. */
export const SESSION_STATES = ['starting', 'idle', 'busy', 'lost', 'dead'] as const;

/** Formats of the files that base images may be. */
export const IMAGE_FORMATS = ['qcow2', 'raw'] as const;
/** What names of base images and pools look like: they become parts of paths. */
export const RESOURCE_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
