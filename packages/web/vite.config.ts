import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The manager that `npm run dev` talks to; the built pages are served by the manager itself, from its own address. */
const manager = process.env.LANDFALL_URL ?? 'http://127.0.0.1:7070'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  server: { host: '127.0.0.1', proxy: { '/api': manager, '/docs': manager } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // `light-dark()` and nesting as they are written: what every browser since spring 2024 knows.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    rollupOptions: {
      // The workspace packages only define things, so what the pages do not use (node:crypto too) is left out.
      treeshake: { moduleSideEffects: (id) => !/packages\/(stack|rollout|contract)\/src\//.test(id) },
    },
  },
})
