// Prints the page of the screen alone. A process of its own, because a test runner makes builds that are not the product's.
import react from '@vitejs/plugin-react';
import { build } from 'vite';

const here = new URL('.', import.meta.url).pathname;
const made = await build({
  configFile: false,
  root: here,
  logLevel: 'silent',
  plugins: [react()],
  define: { 'process.env.NODE_ENV': '"production"' },
  build: { write: false, target: 'es2023', lib: { entry: `${here}main.tsx`, formats: ['iife'], name: 'screen' } },
});
const parts = made.flatMap(({ output }) => output);
const script = parts.find((part) => part.type === 'chunk').code.replaceAll('</script', '<\\/script');
const style = parts.find((part) => part.type === 'asset' && part.fileName.endsWith('.css')).source;
process.stdout.write(
  `<!doctype html><html lang="en"><head><title>Verify</title><style>${style}</style></head>` +
    `<body><main id="console"></main><script>${script}</script></body></html>`,
);
