import { wrapControlSocket } from './control-socket.ts'
import { wrapFiles } from './files.ts'
import { wrapHostDaemon } from './host-daemon.ts'
import { wrapPostgres } from './postgres.ts'
import { wrapSqlite } from './sqlite.ts'
import { processName } from './trace.ts'

// `node --import` of this file: every durable mutation of the process is a numbered point from here on.
if (processName === 'manager') wrapPostgres()
wrapSqlite()
wrapControlSocket()
wrapHostDaemon()
await wrapFiles()
