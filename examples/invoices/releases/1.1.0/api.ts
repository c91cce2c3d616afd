import { createApi } from '../../src/api/create-api.ts'
import { summaryRoute } from '../../src/api/summary-route.ts'

/** Adds `GET /invoices/:id/summary`. */
export default createApi({ routes: [summaryRoute] })
