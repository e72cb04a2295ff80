import { type Mark, OUTLINE, SHAPES } from '../model/mark.ts'

/** The mark of a state. Its name must stand beside it: the icon is hidden from screen readers. */
export function MarkIcon({ mark }: { readonly mark: Mark }) {
  const { colour, area, ink, inkColour } = SHAPES[mark]
  return (
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      <path d={area} fill={colour} fill-rule="evenodd" />
      {ink !== '' && <path d={ink} fill="none" stroke={inkColour} stroke-width="2" stroke-linecap="round" />}
      <path class="mark-outline" d={OUTLINE} fill="none" />
    </svg>
  )
}

export function MarkLabel({ mark }: { readonly mark: Mark }) {
  return (
    <span class="mark-label">
      <MarkIcon mark={mark} />
      {mark}
    </span>
  )
}
