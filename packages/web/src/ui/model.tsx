import { modelOf } from '../format/models.ts'
import { Icon } from './icon.tsx'

/** A deployment's model as icon and word; what it means when hovered. */
export function ModelWord({ model }: { model: string }) {
  const { icon, word, means } = modelOf(model)
  return (
    <span className="model" title={means}>
      <Icon name={icon} size={14} />
      {word}
    </span>
  )
}
