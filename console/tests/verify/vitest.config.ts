import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['tests/verify/**/*.test.ts'], root: new URL('../..', import.meta.url).pathname, testTimeout: 120_000 },
});
