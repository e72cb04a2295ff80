import { clock, day, duration, shortClock } from '../model/format.ts'
import type { Bar, Lane } from '../model/lanes.ts'
import { SHAPES } from '../model/mark.ts'
import { endOf, scaleOf, type TimeScale } from '../model/time-scale.ts'
import { MarkSprites } from './mark-sprites.ts'
import { type Frame, ScrolledCanvas } from './scrolled-canvas.ts'
import { fitText } from './text.ts'

const TRACK = 20
const BAR = 14
const LANE_GAP = 8
const HEAD = 40
const PADDING = 12
const MARK = 12
/** The least width of a bar that has its mark in it. */
const ROOM_FOR_MARK = 18
const TICKS_APART = 90

export interface TimelineContents {
  readonly lanes: readonly Lane[]
  readonly now: number
  readonly zoom: number
  readonly collapse: boolean
  readonly openId: string
}

/** What each lane did, on a canvas. */
export class TimelineCanvas {
  readonly scrolled: ScrolledCanvas
  private readonly sprites = new MarkSprites()
  private contents: TimelineContents | null = null
  private scale: TimeScale | null = null
  private labels = 0
  /** Pixels from the top of the contents, of each lane. */
  private tops: number[] = []

  constructor(private readonly host: HTMLElement) {
    this.scrolled = new ScrolledCanvas(
      host,
      (frame) => this.draw(frame),
      () => this.arrange(),
    )
  }

  show(contents: TimelineContents): void {
    this.contents = contents
    this.arrange()
  }

  /** The bar at which a mouse event is; a thin one counts from two pixels away. */
  barOf(event: MouseEvent): Bar | null {
    const { scale, contents } = this
    const { x, y } = this.scrolled.at(event)
    if (scale === null || contents === null || x < this.labels || y < HEAD) return null
    const down = y - HEAD + this.host.scrollTop
    const at = this.tops.findLastIndex((top) => top <= down)
    const lane = contents.lanes[at]
    const track = lane?.tracks[Math.floor((down - (this.tops[at] ?? 0)) / TRACK)]
    const along = x - this.labels - PADDING + this.host.scrollLeft
    return (
      track?.find((bar) => along >= scale.x(bar.start) - 2 && along <= scale.x(endOf(bar, contents.now)) + 2) ?? null
    )
  }

  labelAt(x: number, y: number): string | null {
    if (x >= this.labels || y < HEAD) return null
    const down = y - HEAD + this.host.scrollTop
    return this.contents?.lanes[this.tops.findLastIndex((top) => top <= down)]?.name ?? null
  }

  private arrange(): void {
    const { contents, host } = this
    if (contents === null || host.clientWidth === 0) return
    const longest = Math.max(0, ...contents.lanes.map(({ name }) => name.length))
    this.labels = Math.round(Math.min(Math.max(90, longest * 7.5 + PADDING * 2), host.clientWidth * 0.36))
    const width = Math.max(60, host.clientWidth - this.labels - PADDING * 2) * contents.zoom
    this.scale = scaleOf(contents.lanes, contents.now, width, contents.collapse)
    let top = LANE_GAP / 2
    this.tops = contents.lanes.map(({ tracks }) => {
      const own = top
      top += tracks.length * TRACK + LANE_GAP
      return own
    })
    this.scrolled.setContents(this.labels + width + PADDING * 2, HEAD + top)
  }

  private draw(frame: Frame): void {
    const { contents, scale } = this
    if (contents === null || scale === null) return
    const { context, theme, height, top, width, ratio } = frame
    this.sprites.prepare(MARK, ratio, theme.outline)
    context.textBaseline = 'middle'
    this.drawBackground(frame, scale)
    for (const [index, lane] of contents.lanes.entries()) {
      const y = HEAD + (this.tops[index] ?? 0) - top
      const lower = y + lane.tracks.length * TRACK + LANE_GAP
      if (lower < HEAD || y > height) continue
      for (const [track, bars] of lane.tracks.entries()) this.drawTrack(frame, scale, bars, y + track * TRACK)
      this.drawName(frame, lane, y, lower)
    }
    this.drawHead(frame, scale)
    context.fillStyle = theme.line
    context.fillRect(this.labels, 0, 1, height)
    context.fillRect(0, HEAD - 1, width, 1)
  }

  private drawBackground({ context, theme, height, left, width }: Frame, scale: TimeScale): void {
    const from = this.labels + PADDING - left
    context.fillStyle = theme.band
    for (const gap of scale.gaps) context.fillRect(from + gap.x, HEAD, gap.width, height)
    context.fillStyle = theme.line
    for (const tick of scale.ticks(TICKS_APART)) {
      const x = Math.round(from + scale.x(tick))
      if (x >= this.labels && x <= width) context.fillRect(x, HEAD - 6, 1, height)
    }
  }

  private drawTrack({ context, theme, width, left }: Frame, scale: TimeScale, bars: readonly Bar[], y: number): void {
    const { contents, labels } = this
    if (contents === null) return
    const from = labels + PADDING - left
    let drawnTo = -Infinity
    for (const bar of bars) {
      const x = from + scale.x(bar.start)
      if (x > width) break
      const end = from + scale.x(endOf(bar, contents.now))
      // Bars that the next one would cover are left out: of many in a track most are narrower than a pixel.
      if (end < labels || end < drawnTo + 0.5) continue
      drawnTo = end
      this.drawBar(context, theme.outline, bar, x, Math.max(1.5, end - x - 0.5), y + (TRACK - BAR) / 2)
      if (bar.expId !== contents.openId) continue
      context.strokeStyle = theme.focus
      context.lineWidth = 2
      context.strokeRect(x - 2, y + (TRACK - BAR) / 2 - 2, Math.max(1.5, end - x) + 4, BAR + 4)
    }
  }

  private drawBar(
    context: CanvasRenderingContext2D,
    outline: string,
    bar: Bar,
    x: number,
    width: number,
    y: number,
  ): void {
    context.fillStyle = SHAPES[bar.mark].colour
    // Half filled, as in the grid: how it ends is not known yet.
    const isOpen = bar.mark === 'running'
    context.fillRect(x, isOpen ? y + BAR / 2 : y, width, isOpen ? BAR / 2 : BAR)
    if (width >= 4 || isOpen) {
      context.strokeStyle = outline
      context.lineWidth = 1
      context.strokeRect(x + 0.5, y + 0.5, Math.max(1, width - 1), BAR - 1)
    }
    if (width >= ROOM_FOR_MARK && bar.mark !== 'completed' && !isOpen)
      this.sprites.draw(context, bar.mark, x + 2, y + 1, MARK)
  }

  private drawName({ context, theme }: Frame, lane: Lane, y: number, lower: number): void {
    context.fillStyle = theme.surface
    context.fillRect(0, y - LANE_GAP / 2, this.labels, lower - y + LANE_GAP / 2)
    context.fillStyle = theme.text
    context.font = `12px ${theme.font}`
    context.fillText(fitText(context, lane.name, this.labels - PADDING * 2), PADDING, y + TRACK / 2)
    context.fillStyle = theme.line
    context.fillRect(0, lower - LANE_GAP / 2, this.labels, 1)
  }

  private drawHead({ context, theme, width, left }: Frame, scale: TimeScale): void {
    const from = this.labels + PADDING - left
    context.fillStyle = theme.surface
    context.fillRect(0, 0, width, HEAD - 6)
    context.font = `12px ${theme.font}`
    context.fillStyle = theme.muted
    let lastDay = ''
    const ticks = scale.ticks(TICKS_APART)
    const isFine = (ticks[1] ?? Infinity) - (ticks[0] ?? 0) < 60_000
    for (const tick of ticks) {
      const x = from + scale.x(tick)
      const today = day(tick)
      if (x > this.labels - 4 && x < width - 30) {
        context.fillText(isFine ? clock(tick) : shortClock(tick), x + 4, HEAD - 14)
        if (today !== lastDay) context.fillText(today, x + 4, HEAD - 29)
        lastDay = today
      }
    }
    this.drawGapNames(context, scale, from, width)
    context.fillStyle = theme.surface
    context.fillRect(0, 0, this.labels, HEAD)
  }

  private drawGapNames(context: CanvasRenderingContext2D, scale: TimeScale, from: number, width: number): void {
    context.textAlign = 'center'
    for (const gap of scale.gaps) {
      const x = from + gap.x + gap.width / 2
      if (x < this.labels || x > width) continue
      context.fillText('⋯', x, HEAD + 8)
    }
    context.textAlign = 'left'
  }

  /** The text of the idle gap at a point of the box. */
  gapAt(x: number): string | null {
    const along = x - this.labels - PADDING + this.host.scrollLeft
    const gap = this.scale?.gaps.find((one) => along >= one.x && along <= one.x + one.width)
    return gap === undefined ? null : `idle for ${duration(gap.to - gap.from)}`
  }
}
