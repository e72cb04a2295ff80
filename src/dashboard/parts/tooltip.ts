/** The one tooltip of the page, shared by all that is drawn on canvases. Told to screen readers by other means. */
interface Tooltip {
  readonly show: (lines: readonly string[], x: number, y: number) => void
  readonly hide: () => void
  readonly remove: () => void
}

const DISTANCE = 14

export function makeTooltip(): Tooltip {
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
