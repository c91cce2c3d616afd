import type { ConfigSource } from '@landfall/engine'
import { digestOf, LandfallError } from '@landfall/stack'
import type { Keyring } from '../../secrets/keyring.ts'
import type { Database } from '../database.ts'
import { secretContext } from '../secrets/set-secret.ts'

/** The engine's configs out of the store. Secrets are opened one by one, when a controller writes them. */
export function createConfigSource(db: Database, keyring: Keyring): ConfigSource {
  return {
    async load(config, deployment) {
      const row = await db
        .selectFrom('configs')
        .select('document')
        .where('deployment', '=', deployment.id)
        .where('digest', '=', config)
        .executeTakeFirst()
      if (!row || digestOf(row.document) !== config) throw unknown(config)
      const { inputs, secrets, bindings } = row.document
      return {
        digest: config,
        inputs,
        bindings,
        secrets: Object.fromEntries(Object.entries(secrets).map(([name, { version }]) => [name, { version }])),
        async openSecret(name) {
          const version = secrets[name]?.version
          const sealed =
            version === undefined
              ? undefined
              : await db
                  .selectFrom('secrets')
                  .select('sealed')
                  .where('deployment', '=', deployment.id)
                  .where('name', '=', name)
                  .where('version', '=', version)
                  .executeTakeFirst()
          if (!sealed || version === undefined) {
            throw new LandfallError({
              code: 'E_SECRET_MISSING',
              message: `The secret ${name} has no value in this config.`,
              hint: 'Set it, which makes a new target.',
            })
          }
          return keyring.open(sealed.sealed, secretContext(deployment.id, name, version)).toString('utf8')
        },
      }
    },
  }
}

function unknown(config: string): LandfallError {
  return new LandfallError({
    code: 'E_CONFIG_UNKNOWN',
    message: `The config ${config} is not in the store, or was changed there.`,
    hint: 'Set the inputs of the deployment again, which makes a new config.',
  })
}
