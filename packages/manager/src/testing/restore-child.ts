import { restoreBackup } from '../backup/restore-backup.ts'

/** Restores a backup, and says each table that is in and the end; to be killed. */
const [file = '', databaseUrl = '', key = ''] = process.argv.slice(2)
await restoreBackup({
  file,
  databaseUrl,
  secret: { kind: 'key', key: Buffer.from(key, 'hex') },
  masterKey: null,
  keepMasterKey: async () => {},
  now: Date.now(),
  onTable: ({ name }) => process.stdout.write(`${name}\n`),
})
process.stdout.write('done\n')
