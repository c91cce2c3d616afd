import { createApi } from '../../src/api/create-api.ts'

export default createApi()
