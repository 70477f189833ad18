import { defineConfig } from 'vitest/config';

/** How long a test may hang, in milliseconds: machines are slow, and nothing here measures time. */
const PATIENCE = 300_000;

export default defineConfig({
  test: {
    include: ['tests/verify/**/*.test.ts'],
    root: new URL('../..', import.meta.url).pathname,
    testTimeout: PATIENCE,
    hookTimeout: PATIENCE,
    fileParallelism: false,
  },
});
