import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type ProxyOptions } from 'vite';

// The server that `npm run dev` and `npm run preview` stand in front of. Its `public_url` must name this origin,
// because passkeys sign the origin (README.md).
const server = process.env.CHANCERY_SERVER ?? 'http://127.0.0.1:8700';
const plainPage = ['/enrol', '/sign-in', '/review', '/people', '/sign'];
const proxy: Record<string, ProxyOptions> = Object.fromEntries(
  ['/api', '/log/', '/healthz', '/readyz', ...plainPage].map((path) => [`^${path}(?=[/?]|$)`, { target: server }]),
);
proxy['^/log/'] = { target: server };

// The policy under which the server serves the console, so that a preview breaks where the product would.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'nonce-preview'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types default',
].join('; ');

const port = Number(process.env.CONSOLE_PORT ?? 8701);

// Style sheets are linked in whatever order chunks come to be, so each of them says the order of the layers.
const LAYERS = '@layer reset,tokens,base,ui,shell,screens;';
const layers: Plugin = {
  name: 'layers',
  enforce: 'post',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === 'asset' && file.fileName.endsWith('.css')) file.source = `${LAYERS}${file.source.toString()}`;
    }
  },
};

export default defineConfig({
  plugins: [react(), layers],
  server: { host: '127.0.0.1', port, strictPort: true, proxy, allowedHosts: ['localhost'] },
  preview: { host: '127.0.0.1', port, strictPort: true, proxy, headers: { 'content-security-policy': policy } },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
  },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);
