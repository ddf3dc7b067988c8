import { defineConfig } from 'vitest/config';

/**
 * Only what will never come ends by these: a test awaits events, and how soon they come is the machine's affair. Vitest's
 * own limits (a second for `expect.poll`) are met by a quick and idle machine alone. Milliseconds.
 */
const LIMITS = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };

// Unit tests stand beside their file; flow, web and lab tests are started by scripts/test.mjs, one project each.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{common,logging,node-agent,crawler,manager,cli,web}/**/*.test.ts', 'test/house.test.ts'],
          pool: 'forks',
          ...LIMITS,
        },
      },
      {
        test: {
          name: 'flow',
          include: ['test/{flow,web,lab}/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          ...LIMITS,
        },
      },
    ],
  },
});
