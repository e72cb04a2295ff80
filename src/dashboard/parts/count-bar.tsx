import { whole } from '../model/format.ts'
import { type Mark, MARKS, SHAPES } from '../model/mark.ts'

interface CountBarProps {
  readonly counts: Readonly<Record<Mark, number>>
  readonly isSmall?: boolean
}

/** Shares of all experiments, one beside the other. */
export function CountBar({ counts, isSmall = false }: CountBarProps) {
  const present = MARKS.filter((mark) => counts[mark] > 0)
  const label = present.map((mark) => `${whole(counts[mark])} ${mark}`).join(', ') || 'no experiments'
  return (
    <div class={isSmall ? 'count-bar small' : 'count-bar'} role="img" aria-label={label}>
      {present.map((mark) => (
        <span
          key={mark}
          class={`count-part ${mark}`}
          title={`${whole(counts[mark])} ${mark}`}
          style={{ flexGrow: counts[mark], '--colour': SHAPES[mark].colour }}
        />
      ))}
    </div>
  )
}
