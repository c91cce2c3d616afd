/** What a manager is told at its start. */
export interface Settings {
  /** Address people reach it at, without a slash at the end; links and cookies are made from it. */
  publicUrl: string
  version: string
  /** Where environments of the local platform lie that name no directory of their own. */
  environmentsDirectory: string
  /** Folder of the built web app, or null. */
  webDirectory: string | null
  oidc: { issuer: string; clientId: string; clientSecret: string; name: string } | null
  /** How long a session lasts without use, in milliseconds. */
  sessionMs: number
}
