import manifest from '../../package.json' with { type: 'json' }

/** Version of this manager. */
export const managerVersion: string = manifest.version
