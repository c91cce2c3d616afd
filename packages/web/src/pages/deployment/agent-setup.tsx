import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import type { AgentSetup, AgentView, DeploymentDetail } from '../../api/types.ts'
import { Button } from '../../ui/button.tsx'
import { Copy } from '../../ui/copy.tsx'
import { type Consequence, Consequences, Dialog, FormDialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { saveFile } from '../../ui/save-file.ts'
import { Time } from '../../ui/time.tsx'

/** Makes the setup of a deployment's agent; where one is enrolled, that one ends. Shown once. */
export function AgentSetupDialog({
  project,
  item,
  agent,
  onClose,
}: {
  project: string
  item: DeploymentDetail
  agent: AgentView
  onClose: () => void
}) {
  const queries = useQueryClient()
  const [url, setUrl] = useState('')
  const [made, setMade] = useState<AgentSetup | null>(null)
  const pull = item.model === 'pull'
  if (made) return <Made item={item} setup={made} again={agent.key !== null} onClose={onClose} />
  return (
    <FormDialog
      open
      title={agent.enrolled ? `Set up the agent of ${item.name} again?` : `Make the setup of ${item.name}’s agent`}
      verb={agent.enrolled ? `Replace the agent of ${item.name}` : 'Make the setup'}
      look={agent.enrolled ? 'danger solid' : 'primary'}
      onClose={onClose}
      onSubmit={async () => {
        const setup = await api.createAgentSetup({
          params: { project, deployment: item.name },
          body: { replace: agent.enrolled, ...(pull && url.trim() !== '' && { url: url.trim() }) },
        })
        setMade(setup)
        await queries.invalidateQueries()
        return 'stay'
      }}
    >
      <Consequences items={agent.enrolled ? replacing(item) : [...setupSays]} />
      {pull && (
        <TextField
          label="Address of this manager, as the agent reaches it"
          type="url"
          value={url}
          onChange={setUrl}
          placeholder={location.origin}
          note="Optional: the public address by default."
        />
      )}
    </FormDialog>
  )
}

const setupSays: readonly Consequence[] = [
  { icon: 'download', text: 'A document is made, shown once: carry it to the site, where it is reviewed.' },
  { icon: 'key', text: 'Its token enrols one agent, once. The agent makes its own keys; they never leave the site.' },
]
const replacing = ({ name }: DeploymentDetail): Consequence[] => [
  { icon: 'stop', text: `The agent that is enrolled for ${name} ends: its key is refused from now on, for good.` },
  { icon: 'play', text: 'What runs there goes on; nothing new is done until the new agent has enrolled.' },
  {
    icon: 'lock',
    text: 'Settings and approvals that were given at the old agent are its own: the new one begins without them.',
  },
  ...setupSays,
]

/** Where the documents put an agent's directory. */
const data = '--data /var/lib/landfall-agent'

function Made({
  item,
  setup,
  again,
  onClose,
}: {
  item: DeploymentDetail
  setup: AgentSetup
  /** There was an agent before, whose directory may still be there. */
  again: boolean
  onClose: () => void
}) {
  const text = JSON.stringify(setup, null, 2)
  const file = `${item.name}.setup.json`
  const commands = [`landfall agent init --setup ${file} ${data}`, `landfall agent run ${data}`]
  return (
    <Dialog title={`The setup of ${item.name}’s agent`} open onClose={onClose} wide>
      <p>
        It is shown once. Its token enrols one agent and ends <Time at={setup.enrolment.expiresAt} />: carry it like a
        key.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll region must be reachable by keyboard */}
      <pre className="output setup-document" tabIndex={0}>
        {text}
      </pre>
      <div className="row">
        <Button look="primary" icon="download" onPress={() => saveFile(file, text)}>
          Save {file}
        </Button>
        <span className="row tight">
          <span className="muted">or copy it</span>
          <Copy text={text} what="setup" />
        </span>
      </div>
      <div className="stack tight">
        {again && (
          <>
            <span>At the site, where the old agent’s directory is still there:</span>
            <div className="teach">
              <code>{`landfall agent run ${data} --setup ${file}`}</code>
              <Copy text={`landfall agent run ${data} --setup ${file}`} what="command" />
            </div>
          </>
        )}
        <span>{again ? 'Where it is lost, in a new one:' : 'At the site, once:'}</span>
        {commands.map((command) => (
          <div key={command} className="teach">
            <code>{command}</code>
            <Copy text={command} what="command" />
          </div>
        ))}
        {setup.sync === null && (
          <span className="muted">
            Then bring back what <code>landfall agent export</code> writes there: it enrols the agent here.
          </span>
        )}
      </div>
      <div className="buttons">
        <Button onPress={onClose}>I have kept it</Button>
      </div>
    </Dialog>
  )
}
