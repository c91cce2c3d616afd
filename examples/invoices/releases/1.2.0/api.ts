import { createApi } from '../../src/api/create-api.ts'
import { summaryRoute } from '../../src/api/summary-route.ts'
import { countRequests } from './count-requests.ts'

/** Adds `GET /usage`: how evenly requests come in. The counting has a bug; 1.2.1 has it fixed. */
const usage = countRequests()
export default createApi({ routes: [summaryRoute, usage.route], around: usage.around })
