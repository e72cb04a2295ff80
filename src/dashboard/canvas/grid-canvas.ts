import type { Progress } from '../../domain/views/progress.ts'
import type { ExperimentTable, Row } from '../model/experiment-table.ts'
import { whole } from '../model/format.ts'
import type { GridLayout, GridLine, GridPlace } from '../model/grid-layout.ts'
import { MarkSprites } from './mark-sprites.ts'
import { type Frame, ScrolledCanvas } from './scrolled-canvas.ts'
import { fitText } from './text.ts'

const SQUARE = 18
/** From one square to the next, and from one line to the next. */
const PITCH = 22
const LINE = 24
const HEAD = 26
const PADDING = 12
const NOTE = 64
/** Below this width names are cut, and notes beside them are short. */
const NARROW = 560

/** What is drawn. */
export interface GridContents {
  readonly table: ExperimentTable
  readonly layout: GridLayout
  readonly byBackend: Progress['by_backend']
  readonly isShown: (row: Row) => boolean
  /** Where the keyboard focus is; null while it is elsewhere. */
  readonly focus: GridPlace | null
  readonly openId: string
}

/** The grid of experiments on a canvas. */
export class GridCanvas {
  readonly scrolled: ScrolledCanvas
  private readonly sprites = new MarkSprites()
  private contents: GridContents | null = null
  private longest = 0
  private labelsOf: GridLayout | null = null
  private labels = 0

  constructor(private readonly host: HTMLElement) {
    this.scrolled = new ScrolledCanvas(
      host,
      (frame) => this.draw(frame),
      () => this.arrange(),
    )
  }

  show(contents: GridContents): void {
    const isNew = contents.layout !== this.contents?.layout
    this.contents = contents
    if (isNew) this.arrange()
    else this.scrolled.invalidate()
  }

  /** The experiment at which a mouse event is; null: none. */
  placeOf(event: MouseEvent): GridPlace | null {
    const { x, y } = this.scrolled.at(event)
    if (this.contents === null || x < this.labels || y < HEAD) return null
    const line = Math.floor((y - HEAD + this.host.scrollTop) / LINE)
    const place = Math.floor((x - this.labels - PADDING / 2 + this.host.scrollLeft) / PITCH)
    return this.rowAt({ line, place }) === null ? null : { line, place }
  }

  /** The config or backend whose name is at a point of the box. */
  labelAt(x: number, y: number): string | null {
    if (x >= this.labels || y < HEAD) return null
    const line = this.contents?.layout.lines[Math.floor((y - HEAD + this.host.scrollTop) / LINE)]
    return line === undefined ? null : line.kind === 'config' ? line.config : line.backend
  }

  rowAt({ line, place }: GridPlace): Row | null {
    const found = this.contents?.layout.lines[line]
    if (found?.kind !== 'config') return null
    const position = found.cells.get(place)
    return position === undefined ? null : (this.contents?.table.rows[position] ?? null)
  }

  /** Scrolls a place into view. */
  reveal({ line, place }: GridPlace): void {
    const { host } = this
    const [x, y] = [place * PITCH + PADDING / 2, line * LINE]
    const [width, height] = [host.clientWidth - this.labels, host.clientHeight - HEAD]
    if (y < host.scrollTop) host.scrollTop = y
    else if (y + LINE > host.scrollTop + height) host.scrollTop = y + LINE - height
    if (x < host.scrollLeft) host.scrollLeft = x - PADDING / 2
    else if (x + PITCH > host.scrollLeft + width) host.scrollLeft = x + PITCH - width + PADDING
  }

  private get isNarrow(): boolean {
    return this.host.clientWidth < NARROW
  }

  private arrange(): void {
    if (this.contents === null) return
    const { layout } = this.contents
    if (layout !== this.labelsOf) {
      this.labelsOf = layout
      this.longest = this.measure(layout)
    }
    this.labels = Math.round(Math.min(this.longest, Math.max(110, this.host.clientWidth * 0.42)))
    this.scrolled.setContents(
      this.labels + layout.width * PITCH + PADDING,
      HEAD + layout.lines.length * LINE + PADDING / 2,
    )
  }

  /** Pixels for the longest name, by its letters: measuring each of many would be slow. */
  private measure({ lines }: GridLayout): number {
    let longest = 0
    for (const line of lines) longest = Math.max(longest, (line.kind === 'config' ? line.config : line.backend).length)
    return Math.max(140, longest * 7 + PADDING * 2 + NOTE)
  }

  private draw(frame: Frame): void {
    if (this.contents === null) return
    const { context, theme, ratio, width, height, top } = frame
    const { layout } = this.contents
    this.sprites.prepare(SQUARE, ratio, theme.outline)
    context.textBaseline = 'middle'
    const first = Math.max(0, Math.floor(top / LINE))
    const last = Math.min(layout.lines.length - 1, Math.floor((top + height - HEAD) / LINE))
    for (let at = first; at <= last; at += 1) {
      const line = layout.lines[at]
      if (line !== undefined) this.drawLine(frame, line, at, HEAD + at * LINE - top)
    }
    this.drawHead(frame)
    context.fillStyle = theme.line
    context.fillRect(this.labels, 0, 1, height)
    context.fillRect(0, HEAD - 1, width, 1)
  }

  private drawLine(frame: Frame, line: GridLine, at: number, y: number): void {
    if (line.kind === 'backend') this.drawBackend(frame, line.backend, y)
    else {
      this.drawSquares(frame, line.cells, at, y)
      this.drawName(frame, line, y)
    }
  }

  private drawBackend({ context, theme, width }: Frame, backend: string, y: number): void {
    context.fillStyle = theme.band
    context.fillRect(0, y, width, LINE)
    context.fillStyle = theme.text
    context.font = `600 12px ${theme.font}`
    context.fillText(fitText(context, backend, this.labels - PADDING * 2), PADDING, y + LINE / 2)
    const counts = this.contents?.byBackend?.[backend]
    if (counts === undefined) return
    context.font = `12px ${theme.font}`
    context.fillStyle = theme.muted
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const failed = counts.failed === 0 ? '' : `, ${whole(counts.failed)} failed`
    const running = counts.running === 0 || this.isNarrow ? '' : `, ${whole(counts.running)} running`
    const completed = this.isNarrow
      ? `${whole(counts.completed)} / ${whole(total)}`
      : `${whole(counts.completed)} of ${whole(total)} completed`
    const text = `${completed}${running}${failed}`
    context.fillText(fitText(context, text, width - this.labels - PADDING * 2), this.labels + PADDING, y + LINE / 2)
  }

  private drawName({ context, theme }: Frame, line: GridLine & { kind: 'config' }, y: number): void {
    context.fillStyle = theme.surface
    context.fillRect(0, y, this.labels, LINE)
    const failed = this.countFailed(line.cells)
    context.font = `12px ${theme.font}`
    let room = this.labels - PADDING * 2
    if (failed > 0) {
      // In a narrow box the colour alone says what is counted.
      const note = this.isNarrow ? whole(failed) : `${whole(failed)} failed`
      context.fillStyle = theme.bad
      context.textAlign = 'right'
      context.fillText(note, this.labels - PADDING, y + LINE / 2)
      context.textAlign = 'left'
      room -= context.measureText(note).width + 8
    }
    context.fillStyle = theme.text
    context.fillText(fitText(context, line.config, room), PADDING, y + LINE / 2)
  }

  private countFailed(cells: ReadonlyMap<number, number>): number {
    let failed = 0
    for (const position of cells.values()) {
      if (this.contents?.table.rows[position]?.experiment.status === 'failed') failed += 1
    }
    return failed
  }

  private drawSquares(frame: Frame, cells: ReadonlyMap<number, number>, at: number, y: number): void {
    const { contents, sprites, labels } = this
    if (contents === null) return
    const { context, left, width, theme } = frame
    const first = Math.max(0, Math.floor((left - PADDING / 2) / PITCH))
    const last = Math.ceil((left + width - labels) / PITCH)
    for (let place = first; place <= last; place += 1) {
      const position = cells.get(place)
      const row = position === undefined ? undefined : contents.table.rows[position]
      if (row === undefined) continue
      const x = labels + PADDING / 2 + place * PITCH - left
      context.globalAlpha = contents.isShown(row) ? 1 : 0.15
      sprites.draw(context, row.mark, x + 2, y + 3, SQUARE)
      context.globalAlpha = 1
      const isFocus = contents.focus?.line === at && contents.focus.place === place
      if (isFocus || row.experiment.exp_id === contents.openId) {
        context.strokeStyle = theme.focus
        context.lineWidth = 2
        context.strokeRect(x, y + 1, SQUARE + 4, SQUARE + 4)
      }
    }
  }

  private drawHead({ context, theme, width, left }: Frame): void {
    const { layout } = this.contents ?? { layout: { columns: [] } }
    context.fillStyle = theme.surface
    context.fillRect(0, 0, width, HEAD)
    context.font = `12px ${theme.font}`
    context.fillStyle = theme.muted
    context.textAlign = 'center'
    for (const { cycle, from, span } of layout.columns) {
      const x = this.labels + PADDING / 2 + from * PITCH - left
      if (x + span * PITCH < this.labels || x > width) continue
      const text = String(cycle)
      if (text.length * 7 <= span * PITCH) context.fillText(text, x + (span * PITCH) / 2, HEAD / 2)
    }
    context.textAlign = 'left'
    context.fillStyle = theme.surface
    context.fillRect(0, 0, this.labels, HEAD)
    context.fillStyle = theme.muted
    context.fillText('Config', PADDING, HEAD / 2)
    context.textAlign = 'right'
    context.fillText('Cycle', this.labels - PADDING, HEAD / 2)
    context.textAlign = 'left'
  }
}
