// First: a portal link's token leaves the address before the router, or anything else, reads it.
import './api/visit.ts'

import { MutationCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { router } from './app/router.tsx'
import './ui/styles/tokens.css'
import './ui/styles/base.css'
import './ui/styles/layout.css'
import './ui/styles/components.css'
import './ui/styles/data.css'
import './ui/styles/portal.css'

const queries: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // The event stream only wakes us up early; a page that was never woken still converges.
      refetchInterval: 30_000,
      // What the manager refuses it will refuse again; what it did not answer is tried with a pause.
      retry: (count, error) => count < 2 && Reflect.get(error, 'retryable') === true,
    },
  },
  mutationCache: new MutationCache({ onSuccess: () => queries.invalidateQueries() }),
})

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  )
}
