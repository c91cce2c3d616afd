import { Label, Radio, RadioGroup } from 'react-aria-components'

export interface Choosable<T extends string> {
  value: T
  label: string
  /** What it means, in a sentence. */
  note: string
}

/** A choice of one among few, each with what it means. */
export function ChoiceGroup<T extends string>({
  label,
  value,
  onChange,
  choices,
}: {
  label: string
  value: T
  onChange: (value: T) => void
  choices: readonly Choosable<T>[]
}) {
  return (
    <RadioGroup className="choices" value={value} onChange={(next) => onChange(next as T)}>
      <Label className="visually-hidden">{label}</Label>
      {choices.map((choice) => (
        <Radio key={choice.value} value={choice.value} className="choice">
          <span className="dot" />
          <span className="two-line">
            <strong>{choice.label}</strong>
            <small>{choice.note}</small>
          </span>
        </Radio>
      ))}
    </RadioGroup>
  )
}
