import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** The one tooltip of the page, shared by all that is drawn on canvases. Screen readers get the same by other means. */
interface Tooltip {
  readonly show: (lines: readonly string[], x: number, y: number) => void
  readonly hide: () => void
  readonly remove: () => void
}

export interface TooltipContents {
  readonly lines: readonly string[]
  /** True where a click opens an experiment. */
  readonly canBeOpened: boolean
}

/** Shows what is at the mouse for as long as the box is mounted; null: nothing is. */
export function useTooltip(
  host: RefObject<HTMLElement | null>,
  contentsAt: (event: MouseEvent) => TooltipContents | null,
): void {
  const newest = useRef(contentsAt)
  newest.current = contentsAt
  useEffect(() => {
    const box = host.current
    if (box === null) return
    const tooltip = makeTooltip()
    const onMove = (event: MouseEvent) => {
      const contents = newest.current(event)
      box.classList.toggle('on-square', contents?.canBeOpened === true)
      if (contents === null) tooltip.hide()
      else tooltip.show(contents.lines, event.clientX, event.clientY)
    }
    box.addEventListener('mousemove', onMove)
    box.addEventListener('mouseleave', tooltip.hide)
    box.addEventListener('scroll', tooltip.hide, { passive: true })
    return () => {
      box.removeEventListener('mousemove', onMove)
      box.removeEventListener('mouseleave', tooltip.hide)
      box.removeEventListener('scroll', tooltip.hide)
      tooltip.remove()
    }
  }, [])
}

const DISTANCE = 14

function makeTooltip(): Tooltip {
  const box = document.createElement('div')
  box.className = 'tooltip'
  box.hidden = true
  box.setAttribute('aria-hidden', 'true')
  document.body.append(box)
  let shown = ''
  let [width, height] = [0, 0]
  return {
    show: (lines, x, y) => {
      const text = lines.join('\n')
      if (text !== shown || box.hidden) {
        box.replaceChildren(...lines.map(lineOf))
        box.hidden = false
        shown = text
        ;({ width, height } = box.getBoundingClientRect())
      }
      const left = x + DISTANCE + width > innerWidth ? Math.max(4, x - DISTANCE - width) : x + DISTANCE
      const top = y + DISTANCE + height > innerHeight ? Math.max(4, y - DISTANCE - height) : y + DISTANCE
      box.style.transform = `translate(${left}px, ${top}px)`
    },
    hide: () => {
      box.hidden = true
    },
    remove: () => box.remove(),
  }
}

function lineOf(text: string): HTMLElement {
  const line = document.createElement('div')
  line.textContent = text
  return line
}
