import { createApi } from '../../src/api/create-api.ts'
import { summaryRoute } from '../../src/api/summary-route.ts'
import { countRequests } from './count-requests.ts'

/** `GET /usage` again, counted right: no request waits, none is without a slot. */
const usage = countRequests()
export default createApi({ routes: [summaryRoute, usage.route], around: usage.around })
