/** The boundaries every source of counters uses, so that histograms can be compared. */
export { latencyBoundsMs } from '@landfall/rollout'
