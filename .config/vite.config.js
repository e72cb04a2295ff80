import { defineConfig } from 'vite'

/** The dashboard: src/dashboard becomes dist/dashboard, which the service serves at `/`. */
export default defineConfig({
  root: 'src/dashboard',
  // Relative: the page works below a path prefix of a proxy too.
  base: './',
  publicDir: 'public',
  build: {
    outDir: '../../dist/dashboard',
    emptyOutDir: true,
    target: 'es2022',
    // Data URLs would have to be allowed by the page's content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  logLevel: 'warn',
})
