import { defineConfig } from 'vitest/config';

// Unit tests stand beside their file; flow, web and lab tests are started by scripts/test.mjs, one project each.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{common,logging,node-agent,crawler,manager,cli,web}/**/*.test.ts', 'test/house.test.ts'],
          pool: 'forks',
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'flow',
          include: ['test/{flow,web,lab}/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
