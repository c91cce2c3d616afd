import type { Claims } from '../claims.ts'
import type { Narrator } from '../narrator.ts'
import type { Site } from '../site.ts'
import type { Traffic } from '../traffic.ts'
import type { Vendor } from '../vendor.ts'

/** Everybody who is in the story. */
export interface Stage {
  vendor: Vendor
  narrator: Narrator
  claims: Claims
  traffic: Traffic
  /** The pull customer's place. */
  globex: Site
  /** The place without network. */
  initech: Site
}
