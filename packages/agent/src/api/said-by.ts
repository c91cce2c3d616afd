/** Who did something at the site, for the audit. Nothing proves it: Node can't ask the kernel who is at the other end of a socket. */
export const saidBy = (by: string): string => `${by} (at the site, as given)`
