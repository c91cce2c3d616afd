import { nudgeRollout } from '../../control/fleet-loops.ts'
import { takeExport } from '../../exports/take-export.ts'
import { withBodyFile } from '../../exports/with-body-file.ts'
import type { Handlers } from '../../http/handler.ts'
import { findProject } from '../../store/accounts/projects.ts'

export const exportHandlers = {
  importExport: async ({ params, body, actor }, { db, control, agents, clock, random, waker }) => {
    const { project } = params
    await findProject(db, project)
    const deps = { db, telemetry: control.telemetry, commands: agents.commands, clock, random }
    const { imported, nudge } = await withBodyFile(body, (file) => takeExport(deps, { project, file, actor }))
    waker.wake('changes', 'commands')
    // One that is not nudged looks by itself, some seconds later.
    for (const rollout of nudge) await nudgeRollout(db, rollout).catch(() => {})
    if (nudge.length > 0) waker.wake('rollouts')
    return imported
  },
} satisfies Partial<Handlers>
