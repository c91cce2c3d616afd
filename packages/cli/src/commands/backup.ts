import { resolve } from 'node:path'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../context/context.ts'
import { define } from './define.ts'

interface SecretOptions {
  passphraseFile?: string
  keyFile?: string
}
interface PlaceOptions extends SecretOptions {
  data: string
  databaseUrl?: string
  masterKeyFile?: string
}

const places = (command: Command): Command =>
  secrets(command)
    .option('--data <dir>', "the manager's directory", '.landfall/manager')
    .option('--database-url <url>', 'its PostgreSQL, where it is not the embedded one (DATABASE_URL)')
    .option(
      '--master-key-file <file>',
      'where the master key is (LANDFALL_MASTER_KEY_FILE; master.key in the directory)',
    )

const secrets = (command: Command): Command =>
  command
    .option('--passphrase-file <file>', 'a passphrase of at least 12 characters, that opens the backup')
    .option('--key-file <file>', 'instead of it, a key of 64 hex digits (openssl rand -hex 32)')

export function backupCommands(program: Command, world: World): void {
  define<PlaceOptions & { out: string; includeMasterKey?: boolean; telemetry: boolean }>(program, world, {
    name: 'backup',
    summary: 'Write everything a manager needs into one encrypted file, while it runs',
    examples: [
      'backup --data /var/lib/landfall --out /backup/landfall-2026-11-21.lfbackup --passphrase-file /etc/landfall/backup.pass',
      'backup --database-url postgresql://… --out now.lfbackup --key-file backup.key --no-telemetry',
    ],
    configure: (command) =>
      places(command)
        .requiredOption('--out <file>', 'the file; must not exist yet')
        .option('--no-telemetry', 'without logs, metrics and traces')
        .option('--include-master-key', 'with the master key: whoever opens the backup then opens every secret in it'),
    async run(context, _args, options) {
      const { backupInstallation } = await import('@landfall/manager')
      const out = resolve(context.directory, options.out)
      if (options.includeMasterKey) {
        context.output.say(
          'With the master key: this file and its passphrase or key are then all it takes to read every secret. Keep the two apart.',
        )
      }
      const summary = await backupInstallation({
        ...(await placeOf(context, options)),
        out,
        includeMasterKey: options.includeMasterKey ?? false,
        telemetry: options.telemetry,
        onTable: progress(context),
        signal: context.signal,
      })
      context.output.data({ file: out, ...summary }, () =>
        [
          `${summary.rows} rows of ${summary.tables.length} tables (schema ${summary.schema}) are in ${out}.`,
          ...(summary.masterKey
            ? []
            : ['The master key is not in it. Without master.key, kept elsewhere, nothing that is sealed opens again.']),
        ].join('\n'),
      )
      context.output.next(`Prove it where you keep it: landfall restore ${options.out} --check`)
    },
  })
  define<PlaceOptions & { check?: boolean }>(program, world, {
    name: 'restore',
    summary: 'Bring a backup back into an empty directory or database',
    examples: [
      'restore landfall-2026-11-21.lfbackup --data /var/lib/landfall --passphrase-file /etc/landfall/backup.pass',
      'restore now.lfbackup --key-file backup.key --check',
    ],
    configure: (command) =>
      places(command)
        .argument('<file>', 'the backup')
        .option('--check', 'prove that it opens and is whole; write nothing'),
    async run(context, [file = ''], options) {
      const { checkBackup, restoreInstallation } = await import('@landfall/manager')
      const from = resolve(context.directory, file)
      if (options.check) {
        const { summary } = await checkBackup(from, await secretOf(context, options))
        context.output.data(
          { file: from, ...summary },
          () =>
            `Whole: ${summary.rows} rows of ${summary.tables.length} tables, taken ${summary.takenAt}, schema ${summary.schema}${summary.masterKey ? ', with the master key' : ''}.`,
        )
        return
      }
      const place = await placeOf(context, options)
      const restored = await restoreInstallation({ ...place, file: from, onTable: progress(context) })
      context.output.data({ file: from, ...restored }, () =>
        [
          `Restored: ${restored.rows} rows of ${restored.tables.length} tables, taken ${restored.takenAt}; the schema is ${restored.migratedTo}.`,
          'What was done after that moment is not known here any more. Tokens revoked and agents replaced since are as before: do it again.',
          ...(restored.opens
            ? []
            : [
                `The master key (${restored.masterKeys.join(', ')}) is missing. Put its file into ${place.dataDir}/master.key before you start a manager.`,
              ]),
        ].join('\n'),
      )
      context.output.next('Read docs/operations.md, "After a restore", before agents reach this manager.')
    },
  })
}

async function placeOf(context: Context, options: PlaceOptions) {
  const databaseUrl = options.databaseUrl ?? context.environment.DATABASE_URL
  const masterKeyFile = options.masterKeyFile ?? context.environment.LANDFALL_MASTER_KEY_FILE
  return {
    dataDir: resolve(context.directory, options.data),
    databaseUrl: databaseUrl || null,
    masterKeyFile: masterKeyFile ? resolve(context.directory, masterKeyFile) : null,
    secret: await secretOf(context, options),
    now: Date.now(),
  }
}

async function secretOf(context: Context, { passphraseFile, keyFile }: SecretOptions) {
  const { readBackupKeyFile, readPassphraseFile } = await import('@landfall/manager')
  if ((passphraseFile === undefined) === (keyFile === undefined)) {
    throw new LandfallError({
      code: 'E_USAGE',
      message: 'A backup is opened by a passphrase or a key: name one of them.',
      hint: 'Give --passphrase-file FILE, or --key-file FILE.',
    })
  }
  if (passphraseFile !== undefined) return readPassphraseFile(resolve(context.directory, passphraseFile))
  return readBackupKeyFile(resolve(context.directory, keyFile ?? ''))
}

/** A line per table, for whoever watches; machines get the whole at the end. */
const progress = (context: Context) => (table: { name: string; rows: number; bytes: number }) =>
  context.output.say(`  ${table.name}: ${table.rows} rows, ${(table.bytes / 1_048_576).toFixed(1)} MiB`)
