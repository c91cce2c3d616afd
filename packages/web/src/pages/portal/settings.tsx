import { type ReactNode, useState } from 'react'
import type { CustomerSettings } from '../../api/types.ts'
import { Button } from '../../ui/button.tsx'
import { ChoiceGroup } from '../../ui/choice.tsx'
import { FormDialog } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import type { PartProps } from './home.tsx'
import { type ChoiceKey, choiceOf } from './setting-words.ts'
import { reaches, useCustomer } from './use-customer.ts'
import { WindowsSetting } from './windows/windows-setting.tsx'

/** What the customer alone decides. */
export function Settings({ visit, page }: PartProps) {
  const [open, setOpen] = useState<ChoiceKey | 'pause' | 'resume' | null>(null)
  const { settings } = page
  const paused = settings.updates === 'paused'
  const isLocked = (key: keyof CustomerSettings) => page.local.includes(key)
  return (
    <Card title="You decide" hint={`${page.vendor.name} reads this and cannot change it`}>
      <div className="portal-settings">
        {(['updates', 'windows', 'approvals', 'telemetry'] as const).map((key) =>
          key === 'windows' ? (
            <WindowsSetting key={key} visit={visit} page={page} locked={isLocked('windows')} />
          ) : (
            <Setting
              key={key}
              name={key}
              title={choiceOf(key, page).title}
              value={choiceOf(key, page).choices.find(({ value }) => value === settings[key])?.label ?? settings[key]}
              note={choiceOf(key, page).choices.find(({ value }) => value === settings[key])?.note}
              locked={isLocked(key)}
              actions={
                <>
                  {key === 'updates' && (
                    <Button icon={paused ? 'play' : 'pause'} onPress={() => setOpen(paused ? 'resume' : 'pause')}>
                      {paused ? 'Resume…' : 'Pause…'}
                    </Button>
                  )}
                  <Button look="quiet" aria-label={`Change: ${choiceOf(key, page).title}`} onPress={() => setOpen(key)}>
                    Change…
                  </Button>
                </>
              }
            />
          ),
        )}
      </div>
      {(open === 'updates' || open === 'approvals' || open === 'telemetry') && (
        <ChoiceDialog visit={visit} page={page} setting={open} onClose={() => setOpen(null)} />
      )}
      {(open === 'pause' || open === 'resume') && (
        <PauseDialog visit={visit} page={page} pause={open === 'pause'} onClose={() => setOpen(null)} />
      )}
    </Card>
  )
}

/** One thing that is set, in words; shown as locked, with the reason, where the agent's own setting wins. */
export function Setting({
  name,
  title,
  value,
  note,
  locked,
  actions,
  children,
}: {
  name: keyof CustomerSettings
  title: string
  value?: ReactNode
  note?: string | undefined
  locked: boolean
  actions: ReactNode
  children?: ReactNode
}) {
  return (
    <section className="portal-setting" aria-label={title}>
      <div className="row between">
        <span className="muted">{title}</span>
        {!locked && <span className="row tight">{actions}</span>}
      </div>
      {value && <strong>{value}</strong>}
      {children}
      {note && <span className="muted">{note}</span>}
      {locked && (
        <span className="locked">
          <Icon name="lock" size={14} />
          <span>
            Set at the agent in your environment. What is set there wins, so it cannot be changed here. To give it back
            to this page, run there: <code>landfall agent settings --portal {name}</code>
          </span>
        </span>
      )}
    </section>
  )
}

function ChoiceDialog({ visit, page, setting, onClose }: PartProps & { setting: ChoiceKey; onClose: () => void }) {
  const { change } = useCustomer(visit)
  const { title, choices } = choiceOf(setting, page)
  const [value, setValue] = useState<string>(page.settings[setting])
  const chosen = choices.find((choice) => choice.value === value)
  const same = value === page.settings[setting]
  return (
    <FormDialog
      open
      title={title}
      verb={same ? 'Nothing to change' : (chosen?.verb ?? 'Set')}
      isDisabled={same}
      onClose={onClose}
      onSubmit={() => change({ [setting]: value }, `${title}: ${chosen?.label ?? value}.`)}
    >
      <ChoiceGroup label={title} value={value} onChange={setValue} choices={choices} />
      <p className="muted">{reaches(page.deployment.model)} It can be changed again at any time.</p>
    </FormDialog>
  )
}

function PauseDialog({ visit, page, pause, onClose }: PartProps & { pause: boolean; onClose: () => void }) {
  const { change } = useCustomer(visit)
  const [after, setAfter] = useState<'automatic' | 'approval'>('automatic')
  const { arriving, running } = page
  return (
    <FormDialog
      open
      title={pause ? 'Pause updates?' : 'Resume updates?'}
      verb={pause ? 'Pause updates' : 'Resume updates'}
      onClose={onClose}
      onSubmit={() =>
        change({ updates: pause ? 'paused' : after }, pause ? 'Updates are paused.' : 'Updates may begin again.')
      }
    >
      {pause ? (
        <ul className="consequences">
          <li>
            <Icon name="pause" />
            <span>
              Nothing new begins{running ? `; ${running.version} goes on running, and is still watched` : ''}.
            </span>
          </li>
          <li>
            <Icon name="moving" />
            <span>
              {arriving
                ? `${arriving.version}, which is on its way, still arrives or goes back: it never stays half.`
                : 'Nothing is on its way now.'}
            </span>
          </li>
          <li>
            <Icon name="back" />
            <span>It can be undone: resume at any time. {reaches(page.deployment.model)}</span>
          </li>
        </ul>
      ) : (
        <ChoiceGroup
          label="From then on"
          value={after}
          onChange={setAfter}
          choices={[
            { value: 'automatic', label: 'Automatic', note: 'What was held back begins when your windows allow.' },
            { value: 'approval', label: 'With your approval', note: 'Each update waits here until you approve it.' },
          ]}
        />
      )}
    </FormDialog>
  )
}
