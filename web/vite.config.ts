import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/graphiql/',
  plugins: [react()],
  // The server puts a fresh nonce in this place in every answer.
  html: { cspNonce: '{{style-nonce}}' },
  // Two copies of any of these, and schema objects or React contexts of one are strangers to the other.
  resolve: { dedupe: ['graphql', 'react', 'react-dom', '@graphiql/react', 'monaco-editor'] },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // The policy allows no `data:` scripts, styles or fonts, and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Monaco alone is larger than the limit that vite warns about.
    chunkSizeWarningLimit: 8_000,
    rolldownOptions: {
      onLog(level, log, report) {
        // "use no memo" in compiled packages: a word to a compiler that has already run.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
      },
    },
  },
});
