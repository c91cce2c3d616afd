import { useId, useState } from 'react'
import type { MaintenanceWindow, Portal } from '../../../api/types.ts'
import { Button } from '../../../ui/button.tsx'
import { FormDialog } from '../../../ui/dialog.tsx'
import { Checkbox, TextField } from '../../../ui/field.tsx'
import { Select } from '../../../ui/select.tsx'
import { reaches } from '../use-customer.ts'
import { Preview } from './preview.tsx'
import { openingsOf } from './recurrence.ts'
import { emptyForm, formOf, type WindowForm, weekdays, windowOf } from './window-form.ts'

const here = Intl.DateTimeFormat().resolvedOptions().timeZone
const zones = Intl.supportedValuesOf('timeZone')
const lengths = [
  { value: 'm', label: 'minutes' },
  { value: 'h', label: 'hours' },
  { value: 'd', label: 'days' },
]
/** The viewer's calendar day: `2026-11-21`. */
const today = () => new Intl.DateTimeFormat('en-CA', { dateStyle: 'short' }).format(new Date())

function isWhole(window: MaintenanceWindow): boolean {
  try {
    return openingsOf(window, Date.now(), 1).length > 0
  } catch {
    return false
  }
}

/** Makes or changes a maintenance window: weekdays and a time, or a rule of one's own; what it means is shown as it is typed. */
export function WindowDialog({
  page,
  window,
  onClose,
  onSave,
}: {
  page: Portal
  window: MaintenanceWindow | undefined
  onClose: () => void
  onSave: (window: MaintenanceWindow) => Promise<unknown>
}) {
  const [form, setForm] = useState<WindowForm>(() => (window ? formOf(window) : emptyForm(here, today())))
  const set = (change: Partial<WindowForm>) => setForm((old) => ({ ...old, ...change }))
  const meant = windowOf(form)
  const zoneList = useId()
  return (
    <FormDialog
      open
      wide
      title={window ? 'Change the maintenance window' : 'Add a maintenance window'}
      verb={window ? 'Change the window' : 'Add the window'}
      isDisabled={!isWhole(meant)}
      onClose={onClose}
      onSubmit={() => onSave(meant)}
    >
      {form.rule === null ? (
        <fieldset className="weekdays">
          <legend>Opens on</legend>
          {weekdays.map(({ code, name }) => (
            <Checkbox
              key={code}
              label={name}
              selected={form.days.includes(code)}
              onChange={(selected) =>
                set({
                  days: weekdays
                    .map((each) => each.code)
                    .filter((each) => (each === code ? selected : form.days.includes(each))),
                })
              }
            />
          ))}
        </fieldset>
      ) : (
        <div className="field-row">
          <TextField
            label="Rule (RRULE)"
            mono
            isRequired
            maxLength={500}
            value={form.rule}
            onChange={(rule) => set({ rule })}
            note="As in calendars, RFC 5545: FREQ=MONTHLY;BYDAY=-1SA is the last Saturday of each month."
          />
          <TextField
            label="Counts from"
            type="date"
            isRequired
            value={form.from}
            onChange={(from) => set({ from })}
            note="The first day that it may open."
          />
        </div>
      )}
      <div className="field-row">
        <TextField label="At" type="time" isRequired value={form.time} onChange={(time) => set({ time })} />
        <TextField
          label="Open for"
          inputMode="numeric"
          isRequired
          maxLength={5}
          value={form.length}
          onChange={(length) => set({ length })}
        />
        <Select
          label="Unit"
          value={form.unit}
          onChange={(unit) => set({ unit: unit as WindowForm['unit'] })}
          options={lengths}
        />
        <div className="field">
          <label htmlFor={`${zoneList}-input`}>Time zone</label>
          <input
            id={`${zoneList}-input`}
            list={zoneList}
            required
            maxLength={64}
            value={form.timeZone}
            onChange={(event) => set({ timeZone: event.target.value })}
          />
          <datalist id={zoneList}>
            {zones.map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </div>
      </div>
      <Preview window={meant} viewer={here} noDays={form.rule === null && form.days.length === 0} />
      <p className="muted">
        Updates begin only while a window is open. What began is not cut in two when it closes. Going back to what you
        approved before needs no window. {reaches(page.deployment.model)}
      </p>
      <div>
        <Button
          look="quiet"
          onPress={() =>
            set({ rule: form.rule === null ? meant.rrule : null, days: form.days.length ? form.days : ['SU'] })
          }
        >
          {form.rule === null ? 'Write a rule instead' : 'Choose weekdays instead'}
        </Button>
      </div>
    </FormDialog>
  )
}
