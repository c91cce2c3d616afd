/** The longest wait of a timer of Node: a longer one would fire at once. Milliseconds, 24.8 days. */
const longest = 2 ** 31 - 1

/** Milliseconds until `deadline` (since the epoch), as a timer takes them: a signed command may have a month. */
export const timeLeft = (deadline: number, now: number): number => Math.min(longest, Math.max(0, deadline - now))
